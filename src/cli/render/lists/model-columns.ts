import type { ModelId } from '../../../core/kernel/model-id.ts';
import type { DigestsOfStore } from '../../../core/operations/live/read-digests.ts';
import type { KnownNode } from '../../../core/protocol/fleet.ts';
import type { CountedEntry } from '../../../core/protocol/models/entries.ts';
import type { ReportedCopy } from '../../../core/protocol/models/reported-copy.ts';
import { formatAge, formatBytes } from '../parts/format.ts';
import type { Cell, Column } from '../parts/lay-out.ts';
import type { OwnCopy } from './copies.ts';
import { describeOlder } from './older-parts.ts';

/** Data for the list beside the models. */
export interface AroundModels {
  readonly nodes: readonly KnownNode[];
  /** The copies on this machine. */
  readonly copies: readonly OwnCopy[];
  /** The digests of the staged models in the store. */
  readonly digests: DigestsOfStore;
  /** The models of which this machine has only unfinished data. */
  readonly partial: ReadonlySet<string>;
  /** The machine of `copies`. */
  readonly nodeId: string | null;
  readonly now: Date;
}

/** A store's models as a table. */
export const modelColumns = ({ now, ...around }: AroundModels): readonly Column<CountedEntry>[] => [
  { title: 'MODEL', flexMinWidth: 32, cut: 'middle', cell: nameOf },
  { title: 'QUANT', maxWidth: 10, dropOrder: 4, cell: labelOf },
  { title: 'SIZE', align: 'right', cell: ({ total_bytes }) => formatBytes(total_bytes) },
  { title: 'FILES', align: 'right', dropOrder: 5, cell: ({ file_count }) => String(file_count) },
  {
    title: 'ADDED',
    align: 'right',
    dropOrder: 2,
    cell: ({ downloaded_at }) => ({ text: formatAge(downloaded_at, now, ''), tone: 'quiet' }),
  },
  { title: 'STAGED', dropOrder: 1, cell: ({ model_id }) => stagedOn(model_id, around) },
  { title: 'TAGS', maxWidth: 28, dropOrder: 3, cell: ({ tags }) => ({ text: tags.join(' '), tone: 'quiet' }) },
];

/** The name of a model, with a mark if no program can load it, or some of its quantizations. Its details say why. */
function nameOf({ model_id, problems = [] }: CountedEntry): Cell {
  if (problems.length === 0) return model_id;
  return { text: `✗ ${model_id}`, tone: problems.some(({ selector }) => selector === null) ? 'bad' : 'warn' };
}

/** Its quantization; of several, how many the store has, and of how many of its repo: `3 of 12`. */
function labelOf({ quantization, quantizations = [], quantizations_of_repo: ofRepo }: CountedEntry): string {
  if (quantizations.length <= 1) return quantization ?? '';
  return ofRepo === undefined ? String(quantizations.length) : `${quantizations.length} of ${ofRepo}`;
}

/** Where a model is staged, in few words: `here`, `2 nodes`, `here +1`, `part` of it here; and how many of the copies are older. */
function stagedOn(modelId: ModelId, { nodes, copies, digests, partial, nodeId }: Omit<AroundModels, 'now'>): Cell {
  const isOlder = (copy: ReportedCopy): boolean => describeOlder(copy, digests.get(modelId)) !== undefined;
  const own = copies.find(({ model_id }) => model_id === modelId);
  const others = nodes.flatMap(({ node_id, copies: all }) =>
    node_id === nodeId ? [] : (all?.filter(({ model_id }) => model_id === modelId).slice(0, 1) ?? []),
  );
  const older = others.filter(isOlder).length;
  const countOlder = older === 0 ? '' : older === others.length ? ' (older)' : ` (${older} older)`;
  const more = others.length === 0 ? '' : ` +${others.length}${countOlder}`;
  if (own !== undefined) {
    const isOwnOlder = isOlder(own);
    return { text: `here${isOwnOlder ? ' (older)' : ''}${more}`, tone: isOwnOlder || older > 0 ? 'warn' : 'good' };
  }
  if (partial.has(modelId)) return { text: `part${more}`, tone: 'warn' };
  if (others.length === 0) return '';
  return { text: `${others.length === 1 ? '1 node' : `${others.length} nodes`}${countOlder}`, tone: older > 0 ? 'warn' : 'good' };
}

/** The text for the filter. */
export const wordsOfModel = ({ model_id, tags, family, quantization }: CountedEntry): string =>
  [model_id, ...tags, family, quantization].join(' ');
