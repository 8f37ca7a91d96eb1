import { describeHolder } from '../../../core/kernel/holder.ts';
import type { ModelId } from '../../../core/kernel/model-id.ts';
import { formatAge, formatBytes, formatLeft, formatRate } from '../parts/format.ts';
import type { Cell, Column } from '../parts/lay-out.ts';
import type { OwnCopy, ShownCopy, StagingJob } from '../shapes.ts';
import { progressOf } from './download-columns.ts';

/** A line of what this machine has: a copy, or one that is being made. */
export interface StagingRow {
  readonly model_id: ModelId;
  readonly copy: OwnCopy | undefined;
  /** One that runs, waits or failed. */
  readonly job: StagingJob | undefined;
}

/** What is staged and what is on its way, each model once. Pure. */
export function stagingRows(copies: readonly OwnCopy[], jobs: readonly StagingJob[]): readonly StagingRow[] {
  const told = jobs.filter(({ status }) => status !== 'complete');
  const ids = new Set(told.map(({ model_id }) => model_id));
  const copyOf = new Map(copies.map((copy) => [copy.model_id, copy]));
  return [
    ...told.map((job) => ({ model_id: job.model_id, job, copy: copyOf.get(job.model_id) })),
    ...copies.filter(({ model_id }) => !ids.has(model_id)).map((copy) => ({ model_id: copy.model_id, copy, job: undefined })),
  ];
}

/** This machine's copies as a table. */
export const copyColumns = (now: Date): readonly Column<StagingRow>[] => [
  { title: 'MODEL', grows: 26, cut: 'middle', cell: ({ model_id }) => model_id },
  { title: 'SIZE', align: 'right', cell: ({ copy, job }) => sizeOf(copy, job) },
  { title: 'LAST USED', align: 'right', goes: 1, cell: ({ copy, job }) => lastUsed(copy, job, now) },
  {
    title: 'STATE',
    width: 24,
    wide: 60,
    cell: ({ copy, job }, width) => (job === undefined ? stateOf(copy, copy?.holders) : jobState(job, width)),
  },
];

const sizeOf = (copy: OwnCopy | undefined, job: StagingJob | undefined): string =>
  job !== undefined && job.bytes_total > 0 ? formatBytes(job.bytes_total) : copy === undefined ? '' : formatBytes(copy.size_bytes);

/** While a copy is made, how fast and how long still stands there instead. */
function lastUsed(copy: OwnCopy | undefined, job: StagingJob | undefined, now: Date): Cell {
  if (job?.status === 'staging')
    return job.seconds_left === null ? formatRate(job.bytes_per_second) : `${formatLeft(job.seconds_left)} left`;
  return { text: copy === undefined ? '' : formatAge(copy.last_used, now, ''), tone: 'quiet' };
}

function jobState(job: StagingJob, width: number): Cell {
  if (job.status === 'staging' && job.waits_for !== null) return { text: job.waits_for, tone: 'quiet' };
  return progressOf(job, job.status, width);
}

/** What is to become of a copy. */
export function stateOf(copy: Pick<ShownCopy, 'in_use' | 'over_budget'> | undefined, holders: OwnCopy['holders'] = []): Cell {
  if (copy === undefined) return '';
  if (copy.in_use) return { text: holders.length === 0 ? 'in use' : `in use, ${holders.map(describeHolder).join(', ')}`, tone: 'good' };
  return copy.over_budget ? { text: 'goes next, over budget', tone: 'warn' } : { text: 'idle', tone: 'quiet' };
}
