import { nodeNames } from '../../../../core/kernel/machine/node-names.ts';
import type { ModelRef } from '../../../../core/kernel/model-id.ts';
import type { DashboardView } from '../../../../core/operations/live/open-dashboard.ts';
import type { CopyFacts } from '../../lists/copies.ts';
import { partOf } from '../../lists/quantization-columns.ts';
import { formatAge, formatBytes } from '../../parts/format.ts';
import { spread } from '../../parts/spread.ts';
import type { Part } from '../../parts/words.tsx';

/** A machine with a copy of a model. */
export interface PlaceOfCopy {
  readonly name: string;
  readonly isHere: boolean;
  readonly copy: CopyFacts;
  /** Why it cannot act at once; null if it can. */
  readonly away: string | null;
}

/** Every machine that is known to have the named model or quantization, this one first. Pure. */
export function stagedOn({ store, staging, node }: DashboardView, name: ModelRef, now: Date): readonly PlaceOfCopy[] {
  const nameOf = nodeNames(store?.nodes ?? []);
  const own = staging?.models.map((one) => partOf(one, name)).find((part) => part !== undefined);
  const here = own === undefined ? [] : [{ name: `${node.hostname}, this machine`, isHere: true, copy: own, away: null }];
  const others = (store?.nodes ?? []).flatMap((one) => {
    const copy = one.copies?.map((each) => partOf(each, name)).find((part) => part !== undefined);
    // This machine's copies are read from its own disk.
    if (copy === undefined || one.node_id === node.node_id) return [];
    const away = one.connected ? null : `${one.agent ? 'away' : 'no agent'}, seen ${formatAge(one.last_seen, now)}`;
    return [{ name: nameOf(one), isHere: false, copy, away }];
  });
  return [...here, ...others];
}

/** The location and the size there, in one line. */
export const placeLine = ({ name, copy, away }: PlaceOfCopy, width: number): readonly Part[] =>
  spread(
    [name, { text: copy.in_use ? '  in use' : '', tone: 'warn' }, { text: away === null ? '' : `  ${away}`, tone: 'quiet' }],
    [formatBytes(copy.size_bytes)],
    width,
  );
