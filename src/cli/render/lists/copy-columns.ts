import type { ModelId } from '../../../core/kernel/model-id.ts';
import type { DigestsOfStore } from '../../../core/operations/live/read-digests.ts';
import { describeHolders } from '../../../core/protocol/holder.ts';
import type { ReportedCopy } from '../../../core/protocol/models/reported-copy.ts';
import type { StagingJob, StagingView } from '../../../core/protocol/staging.ts';
import { formatAge, formatBytes, formatLeft, formatRate } from '../parts/format.ts';
import type { Cell, Column } from '../parts/lay-out.ts';
import { nameCopy, type OwnCopy } from './copies.ts';
import { progressOf } from './download-columns.ts';
import { describeOlder } from './older-parts.ts';

/** A row of this machine's list: a copy, or one that is being made. */
export interface StagingRow {
  readonly model_id: ModelId;
  readonly copy: OwnCopy | undefined;
  /** A running, waiting or failed job. */
  readonly job: StagingJob | undefined;
  /** The size of unfinished data that nothing is adding to now, in bytes; with a copy, of another part of its model. */
  readonly unfinished?: number;
}

/** Staged, running and unfinished copies, each model once. Pure. */
export function stagingRows(
  staging: Pick<StagingView, 'models' | 'unfinished'> | null,
  jobs: readonly StagingJob[],
): readonly StagingRow[] {
  const { models: copies, unfinished } = staging ?? { models: [], unfinished: [] };
  const listed = jobs.filter(({ status }) => status !== 'complete');
  const ids = new Set(listed.map(({ model_id }) => model_id));
  const copyOf = new Map(copies.map((copy) => [copy.model_id, copy]));
  return [
    ...listed.map((job) => ({ model_id: job.model_id, job, copy: copyOf.get(job.model_id) })),
    ...copies
      .filter(({ model_id }) => !ids.has(model_id))
      .map((copy) => {
        const bytes = unfinished.find(({ model_id }) => model_id === copy.model_id)?.size_bytes;
        return { model_id: copy.model_id, copy, job: undefined, ...(bytes !== undefined && { unfinished: bytes }) };
      }),
    ...unfinished
      .filter(({ model_id }) => !ids.has(model_id) && !copyOf.has(model_id))
      .map(({ model_id, size_bytes }) => ({ model_id, copy: undefined, job: undefined, unfinished: size_bytes })),
  ];
}

/** This machine's copies as a table. */
export const copyColumns = (now: Date, digests: DigestsOfStore = new Map()): readonly Column<StagingRow>[] => [
  { title: 'MODEL', flexMinWidth: 26, cut: 'middle', cell: (row) => nameRow(row, digests) },
  { title: 'SIZE', align: 'right', cell: sizeOf },
  { title: 'LAST USED', align: 'right', dropOrder: 1, cell: ({ copy, job }) => lastUsed(copy, job, now) },
  {
    title: 'STATE',
    width: 24,
    preferredWidth: 60,
    cell: (row, width) => (row.job === undefined ? stateOfRow(row, digests, width) : jobState(row.job, width)),
  },
];

/** The model, and which part of it is staged if not all is. */
export const nameRow = ({ model_id, copy }: StagingRow, digests: DigestsOfStore): string =>
  copy === undefined ? model_id : nameCopy(copy, digests.get(model_id));

function sizeOf({ copy, job, unfinished }: StagingRow): string {
  const bytes = job !== undefined && job.bytes_total > 0 ? job.bytes_total : (copy?.size_bytes ?? unfinished);
  return bytes === undefined ? '' : formatBytes(bytes);
}

/** While a copy is made, rate and time left are shown there instead. */
function lastUsed(copy: OwnCopy | undefined, job: StagingJob | undefined, now: Date): Cell {
  if (job?.status === 'staging')
    return job.seconds_left === null ? formatRate(job.bytes_per_second) : `${formatLeft(job.seconds_left)} left`;
  return { text: copy === undefined ? '' : formatAge(copy.last_used, now, ''), tone: 'quiet' };
}

function jobState(job: StagingJob, width: number): Cell {
  if (job.status === 'staging' && job.waits_for !== null) return { text: job.waits_for, tone: 'quiet' };
  return progressOf(job, job.status, width);
}

/** The state of a copy that is not being made now: what is unfinished comes first. */
function stateOfRow({ model_id, copy, unfinished }: StagingRow, digests: DigestsOfStore, width: number): Cell {
  const stored = digests.get(model_id);
  if (unfinished === undefined) return stateOf(copy, { holders: copy?.holders, older: copy && describeOlder(copy, stored), width });
  const use = copy === undefined ? '' : copy.in_use ? 'in use, ' : 'idle, ';
  return { text: `${use}${copy === undefined ? '' : 'part '}unfinished${copy === undefined ? ', s resumes' : ''}`, tone: 'warn' };
}

/**
 * Whether a copy is in use, older than in the store, or over the budget.
 * @param about.older what is older, as `describeOlder` says it
 * @param about.width so many characters have room: who uses the copy is left out before a name of it is cut
 */
export function stateOf(
  copy: Pick<ReportedCopy, 'in_use' | 'over_budget'> | undefined,
  {
    holders = [],
    older,
    width = Number.POSITIVE_INFINITY,
  }: { readonly holders?: OwnCopy['holders'] | undefined; readonly older?: string | undefined; readonly width?: number } = {},
): Cell {
  if (copy === undefined) return '';
  const [use, tone] = copy.in_use
    ? (['in use', 'good'] as const)
    : copy.over_budget
      ? (['over budget, evicted next', 'warn'] as const)
      : (['idle', 'quiet'] as const);
  const state = older === undefined ? use : `${use}, ${older}`;
  const pids = holders.every(({ pid }) => pid !== null) ? holders.map(({ pid }) => `pid ${pid}`).join(', ') : '';
  const by = copy.in_use && holders.length > 0 ? [describeHolders(holders), pids] : [];
  const texts = by.filter((one) => one !== '').map((one) => `${state}, ${one}`);
  return { text: texts.find((one) => one.length <= width) ?? state, tone: older === undefined ? tone : 'warn' };
}
