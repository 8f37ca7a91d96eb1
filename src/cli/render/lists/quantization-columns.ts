import { nodeNames } from '../../../core/kernel/machine/node-names.ts';
import type { ModelId, ModelRef } from '../../../core/kernel/model-id.ts';
import type { DashboardView } from '../../../core/operations/live/open-dashboard.ts';
import type { ReportedCopy } from '../../../core/protocol/models/reported-copy.ts';
import type { StoredQuantization } from '../../../core/protocol/models/shown-model.ts';
import type { StagingJob } from '../../../core/protocol/staging.ts';
import { formatBytes } from '../parts/format.ts';
import type { Cell, Column } from '../parts/lay-out.ts';
import type { CopyFacts } from './copies.ts';

const isSame = (one: string | null | undefined, other: string): boolean => one?.toLowerCase() === other.toLowerCase();

/** The facts about a copy's quantization; undefined if the copy does not have it, or its node does not report it. Pure. */
export function partOf(copy: ReportedCopy, { modelId, selector }: ModelRef): CopyFacts | undefined {
  if (copy.model_id !== modelId) return undefined;
  return selector === undefined ? copy : copy.quantizations?.find((one) => isSame(one.selector, selector));
}

/** The quantizations of a model as a table. */
export const quantizationColumns = (view: DashboardView, modelId: ModelId): readonly Column<StoredQuantization>[] => [
  { title: 'QUANTIZATION', flexMinWidth: 16, maxWidth: 44, cut: 'middle', cell: ({ selector }) => selector },
  { title: 'SIZE', align: 'right', cell: ({ size_bytes }) => formatBytes(size_bytes) },
  { title: 'BITS', align: 'right', dropOrder: 1, cell: ({ bits_per_weight }) => bits_per_weight?.toFixed(2) ?? '' },
  { title: 'STAGED', width: 12, preferredWidth: 40, cell: (stored) => whereStaged(view, modelId, stored) },
];

/** Whether a staged quantization differs from the store's. False if its node does not report the digest. Pure. */
export const isOlderPart = (
  part: { readonly digest?: string | null } | undefined,
  { digest }: Pick<StoredQuantization, 'digest'>,
): boolean => part?.digest != null && digest !== null && part.digest !== digest;

/** Where a quantization is staged: `here, in use`, `staging 43%`, the machines, and which of them have an older version. Pure. */
function whereStaged({ staging, store, jobs, node }: DashboardView, modelId: ModelId, stored: StoredQuantization): Cell {
  const name = { modelId, selector: stored.selector };
  const job = jobs.find((one) => one.model_id === name.modelId && isSame(one.selector, name.selector) && isRunning(one));
  if (job !== undefined) return { text: job.bytes_total === 0 ? 'staging' : `staging ${percentOf(job)}`, tone: 'accent' };
  const own = staging?.models.map((copy) => partOf(copy, name)).find((part) => part !== undefined);
  const nodes = store?.nodes ?? [];
  const nameOf = nodeNames(nodes);
  const others = nodes.flatMap((one) => {
    const copy = one.copies?.map((each) => partOf(each, name)).find((part) => part !== undefined);
    return one.node_id === node.node_id || copy === undefined ? [] : [{ text: nameOf(one), copy }];
  });
  const places = [...(own === undefined ? [] : [{ text: own.in_use ? 'here, in use' : 'here', copy: own }]), ...others];
  const texts = places.map(({ text, copy }) => (isOlderPart(copy, stored) ? `${text} (older)` : text));
  return { text: texts.join(', '), tone: places.some(({ copy }) => isOlderPart(copy, stored)) ? 'warn' : 'good' };
}

const isRunning = ({ status }: StagingJob): boolean => status === 'pending' || status === 'staging';
const percentOf = ({ bytes_done, bytes_total }: StagingJob): string => `${Math.floor((bytes_done / bytes_total) * 100)}%`;
