import type { KnownNode } from '../../../../src/core/protocol/fleet.ts';
import type { CountedEntry } from '../../../../src/core/protocol/models/entries.ts';
import type { StagingList } from '../../../../src/core/protocol/staging.ts';

/** The copies on this machine, and those that nodes reported. */
export interface Copies {
  readonly nodes: readonly KnownNode[];
  readonly own: Pick<StagingList, 'models'>['models'];
}

/** The models of the store with a copy that has a digest: each id, and a text that changes when the store has changed the model. Pure. */
export function listComparable(entries: readonly CountedEntry[], { nodes, own }: Copies): readonly (readonly [string, string])[] {
  const staged = new Set<string>([
    ...own.filter(({ digest }) => digest !== null).map(({ model_id }) => model_id),
    ...nodes.flatMap(({ copies }) =>
      (copies ?? []).filter(({ quantizations = [] }) => quantizations.some(({ digest }) => digest != null)).map(({ model_id }) => model_id),
    ),
  ]);
  return entries
    .filter(({ model_id }) => staged.has(model_id))
    .map(({ model_id, downloaded_at, total_bytes, file_count }) => [model_id, `${downloaded_at} ${total_bytes} ${file_count}`]);
}
