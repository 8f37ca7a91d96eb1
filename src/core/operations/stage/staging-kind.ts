import type { JobKind, JobView } from '../../jobs/job-kind.ts';
import { isFinished, type JobStatus } from '../../jobs/job-state.ts';
import { formatRef, type ModelRef } from '../../kernel/model-id.ts';
import type { StagingJob } from '../../protocol/staging.ts';
import type { StagedModel } from './stage-report.ts';

/** The fields that only a staging job has; see `StagingJob`. */
export interface StagingDetails {
  readonly waitsFor: string | null;
  readonly warnings: readonly string[];
  readonly path: string | null;
  readonly source: StagedModel['source'] | null;
  /** What was moved, at the end. */
  readonly bytesTransferred: number;
}

/** Everything of a staging job except the work itself. */
export const stagingKind = {
  name: 'staging',
  describe: ({ modelId, selector }) => `staging ${formatRef({ modelId, selector })}`,
  hints: {
    ended: 'nothing is left to stop',
    notFound: 'GET /node/stage lists what this node stages',
    cancelled: () => 'verified data is kept: staging it again resumes',
  },
  modelOf: ({ modelId }) => modelId,
  // Each quantization of a model has its own job.
  subjectOf: ({ modelId, selector }) => formatRef({ modelId, selector }),
  isCovered: (ref, other) => ref.revision === other.revision && ref.selector?.toLowerCase() === other.selector?.toLowerCase(),
  initialDetails: () => ({ waitsFor: null, warnings: [], path: null, source: null, bytesTransferred: 0 }),
} as const satisfies Omit<JobKind<ModelRef, StagingDetails>, 'run'>;

const words = {
  pending: 'pending',
  running: 'staging',
  complete: 'complete',
  failed: 'failed',
  cancelled: 'failed',
} as const satisfies Record<JobStatus, StagingJob['status']>;

/** The public view of a staging job. */
export const stagingStatus = (job: JobView<ModelRef, StagingDetails>): StagingJob => ({
  model_id: job.modelId,
  revision: job.request.revision ?? null,
  selector: job.request.selector ?? null,
  status: words[job.status],
  doing: job.status === 'pending' ? null : job.phase,
  bytes_done: job.bytesDone,
  bytes_total: job.bytesTotal,
  bytes_per_second: job.bytesPerSecond,
  seconds_left: job.secondsLeft,
  waits_for: isFinished(job) ? null : job.details.waitsFor,
  warnings: job.details.warnings,
  path: job.details.path,
  source: job.details.source,
  error: job.failure?.message ?? null,
  error_code: job.failure?.code ?? null,
  hint: job.failure?.hint ?? null,
  created_at: job.createdAt,
  updated_at: job.updatedAt,
});
