import { isFinished } from './job-state.ts';
import type { JobEntry } from './job-table.ts';
import { type RunContext, runJob } from './run-job.ts';

/** Runs the jobs of a table in order, a few at a time. */
export interface JobRunner<Request, Details> {
  /** Runs a job when its turn comes, also one of an earlier process. */
  enqueue(entry: JobEntry<Request, Details>): void;
  /** Settles when nothing is running. */
  idle(): Promise<void>;
}

/** Starts no job after `stopping` is aborted. */
export function createJobRunner<Request, Details>(
  context: RunContext<Request, Details>,
  { maxRunning }: { readonly maxRunning: number },
): JobRunner<Request, Details> {
  const { kind, table, stopping } = context;
  const running = new Set<Promise<void>>();
  const busyLanes = new Set<string>();
  const mayRun = ({ job, isQueued }: JobEntry<Request, Details>): boolean => {
    const lane = kind.laneOf?.(job.request);
    return isQueued && job.status === 'pending' && (lane === undefined || !busyLanes.has(lane));
  };
  const startNext = (): void => {
    while (running.size < maxRunning && !stopping.aborted) {
      const next = table.all().find(mayRun);
      if (next === undefined) return;
      const lane = kind.laneOf?.(next.job.request);
      if (lane !== undefined) busyLanes.add(lane);
      const work = runJob(next, context).finally(() => {
        running.delete(work);
        if (lane !== undefined) busyLanes.delete(lane);
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
      // A job that another process was running is pending again.
      table.apply(entry, { type: 'interrupt' });
      startNext();
    },
    idle: async () => void (await Promise.all(running)),
  };
}
