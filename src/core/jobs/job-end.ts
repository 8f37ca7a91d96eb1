import { jobNameOf } from '../protocol/describe/activity.ts';
import { isFinished, type Job } from './job-state.ts';

/** The end of a download or of an optimization. */
export interface JobEnd {
  /** See `jobNameOf`. */
  readonly job: string;
  readonly createdAt: string;
  /** Why it failed; null when it is complete; `CANCELLED` when somebody stopped it. */
  readonly code: string | null;
}

/** The jobs of a queue, as far as their ends need them. */
interface Followed<Request> {
  subscribe(listener: (job: Job<Request, unknown>) => void): () => void;
}

/** Calls `onEnd` once for each job of a queue that ends from now on. The returned function ends that. */
export function followEnds<Request extends object>(
  { subscribe }: Followed<Request>,
  idOf: (request: Request) => string,
  onEnd: (end: JobEnd) => void,
): () => void {
  const unfinished = new WeakSet<Request>();
  return subscribe((job) => {
    // A job keeps its request from its first event to its last one. Those that ended under an earlier server are read as finished.
    if (!isFinished(job)) unfinished.add(job.request);
    else if (unfinished.delete(job.request)) {
      const { createdAt, status, failure } = job;
      const code = status === 'complete' ? null : status === 'cancelled' ? 'CANCELLED' : (failure?.code ?? 'INTERNAL');
      onEnd({ job: jobNameOf(idOf(job.request), createdAt), createdAt, code });
    }
  });
}
