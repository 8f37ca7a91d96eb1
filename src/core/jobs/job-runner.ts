import { isFinished } from './job-state.ts';
import type { JobEntry } from './job-table.ts';
import { type RunContext, runJob } from './run-job.ts';

/** Runs the jobs of a table in their order, a few at one time. */
export interface JobRunner<Request, Details> {
  /** Runs a job when its turn comes, also one that another process left. */
  enqueue(entry: JobEntry<Request, Details>): void;
  /** Settles when nothing runs any more. */
  idle(): Promise<void>;
}

/** Starts no job once `stopping` is aborted. */
export function createJobRunner<Request, Details>(
  context: RunContext<Request, Details>,
  { maxRunning }: { readonly maxRunning: number },
): JobRunner<Request, Details> {
  const { table, stopping } = context;
  const running = new Set<Promise<void>>();
  const startNext = (): void => {
    while (running.size < maxRunning && !stopping.aborted) {
      const next = table.all().find(({ job, isQueued }) => isQueued && job.status === 'pending');
      if (next === undefined) return;
      const work = runJob(next, context).finally(() => {
        running.delete(work);
        startNext();
      });
      running.add(work);
      next.work = work;
    }
  };
  return {
    enqueue: (entry) => {
      if (entry.isQueued || isFinished(entry.job)) return;
      entry.isQueued = true;
      // What another process was running is pending again.
      table.apply(entry, { type: 'interrupt' });
      startNext();
    },
    idle: async () => void (await Promise.all(running)),
  };
}
