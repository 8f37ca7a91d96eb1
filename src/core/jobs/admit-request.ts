import { SkulkError } from '../kernel/errors.ts';
import type { World } from '../kernel/world.ts';
import type { JobKind, JobView } from './job-kind.ts';
import type { JobRunner } from './job-runner.ts';
import { isFinished, type Job, newJob } from './job-state.ts';
import { type JobEntry, type JobTable, viewOf } from './job-table.ts';

/** What a new request needs from its queue. */
export interface AdmitContext<Request, Details> {
  readonly kind: JobKind<Request, Details>;
  readonly table: JobTable<Request, Details>;
  readonly runner: JobRunner<Request, Details>;
  /** Saves a new job, if the queue has storage; rejects on failure. */
  readonly write: (job: Job<Request, Details>) => Promise<void>;
  readonly maxPending: number;
  readonly world: World;
}

/** Decides about a request: it joins a job, is already done, or gets its own job. Requests are handled one after the other. */
export async function admitRequest<Request, Details>(
  request: Request,
  { kind, table, runner, write, maxPending, world }: AdmitContext<Request, Details>,
): Promise<JobView<Request, Details>> {
  const modelId = kind.modelOf(request);
  const earlier = table.get(kind.subjectOf?.(request) ?? modelId);
  if (earlier !== undefined && !isFinished(earlier.job)) return await join(request, earlier, { kind, runner });
  const brings = table.all().find(({ job }) => job.modelId === modelId && !isFinished(job) && kind.isCovered(request, job.request));
  if (brings !== undefined) return await join(request, brings, { kind, runner });
  const before = earlier !== undefined && kind.isCovered(request, earlier.job.request) ? earlier.job : undefined;
  const unfinished = before?.status === 'complete' ? undefined : before;
  const result = await kind.findResult?.(request);
  const job = newJob({ modelId, request, details: kind.initialDetails(request, unfinished) }, { now: world.now(), before: unfinished });
  if (result !== undefined) {
    const known = before ?? job;
    const details = { ...known.details, ...result.details };
    // An earlier download keeps its own total.
    const bytes = known.bytesTotal === 0 ? (result.bytesTotal ?? 0) : known.bytesTotal;
    return {
      ...known,
      details,
      bytesDone: bytes,
      bytesTotal: bytes,
      status: 'complete',
      failure: null,
      bytesPerSecond: null,
      secondsLeft: null,
    };
  }
  const pending = table.all().filter((entry) => entry.job.status === 'pending').length;
  if (pending >= maxPending)
    throw new SkulkError('CONFLICT', `${pending} ${kind.name} jobs are waiting, which is the limit`, {
      hint: 'wait for some to end, then try again',
    });
  // The caller may rely on an accepted job, so it is saved first.
  await write(job);
  const entry = table.put(job);
  runner.enqueue(entry);
  return viewOf(entry);
}

async function join<Request, Details>(
  request: Request,
  entry: JobEntry<Request, Details>,
  { kind, runner }: Pick<AdmitContext<Request, Details>, 'kind' | 'runner'>,
): Promise<JobView<Request, Details>> {
  const { modelId, request: running } = entry.job;
  if (!entry.isQueued) await kind.requireOurs?.(modelId);
  if (!kind.isCovered(request, running)) {
    const { message, hint } = kind.conflictOf?.(request, running) ?? {
      message: `${kind.describe(running)} is in progress for another request`,
      hint: 'wait for it to end, or cancel it, then try again',
    };
    throw new SkulkError('CONFLICT', message, { hint });
  }
  // A killed process may have left it.
  runner.enqueue(entry);
  return viewOf(entry);
}
