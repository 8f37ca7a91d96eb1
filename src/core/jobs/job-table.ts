import { createTransferRate, type TransferRate } from '../kernel/flow/transfer-rate.ts';
import type { JobView } from './job-kind.ts';
import { applyEvent, isFinished, type Job, type JobEvent } from './job-state.ts';

/** A job in memory, with what belongs to this process. */
export interface JobEntry<Request, Details> {
  job: Job<Request, Details>;
  rate: TransferRate;
  /** Of the bytes that are here, those that had not to come. */
  bytesAtHand: number;
  readonly abort: AbortController;
  /** Whether this process runs it, or will. What another process left is not queued until somebody takes it up. */
  isQueued: boolean;
  /** Settles when its run has ended, and that is written down; undefined before it runs. */
  work: Promise<void> | undefined;
}

/** The jobs of a queue in memory, the newest of each subject, in the order in which they were asked for. */
export interface JobTable<Request, Details> {
  get(subject: string): JobEntry<Request, Details> | undefined;
  all(): readonly JobEntry<Request, Details>[];
  /** Adds a job as the last one, in place of an earlier one of its subject. */
  put(job: Job<Request, Details>): JobEntry<Request, Details>;
  /** Applies an event, and calls the subscribers back when it changed something. */
  apply(entry: JobEntry<Request, Details>, event: JobEvent<Details>): void;
  /** Removes the oldest finished jobs, beyond a number that is kept. @returns what was removed */
  removeOldest(maxFinished: number): readonly Job<Request, Details>[];
  /** Removes a job, and calls the subscribers back. */
  remove(subject: string): void;
  subscribe(listener: (job: Job<Request, Details>) => void): () => void;
}

/** Starts empty. @param subjectOf what there is one job of at a time */
export function createJobTable<Request, Details>(now: () => Date, subjectOf: (request: Request) => string): JobTable<Request, Details> {
  const entries = new Map<string, JobEntry<Request, Details>>();
  const listeners = new Set<(job: Job<Request, Details>) => void>();
  const notify = (job: Job<Request, Details>): void => {
    for (const listener of listeners) listener(job);
  };
  return {
    get: (subject) => entries.get(subject),
    all: () => [...entries.values()],
    put: (job) => {
      const entry = { job, rate: createTransferRate(), bytesAtHand: 0, abort: new AbortController(), isQueued: false, work: undefined };
      const subject = subjectOf(job.request);
      entries.delete(subject);
      entries.set(subject, entry);
      notify(job);
      return entry;
    },
    apply: (entry, event) => {
      const before = entry.job;
      entry.job = applyEvent(before, event, now());
      if (entry.job === before) return;
      const progress = event.type === 'progress' ? event.progress : {};
      const { bytesAtHand = entry.bytesAtHand } = progress;
      // What was the speed of one thing says nothing of the next, and what was here already was only counted.
      if (entry.job.phase !== before.phase || bytesAtHand !== entry.bytesAtHand) entry.rate = createTransferRate();
      entry.bytesAtHand = bytesAtHand;
      if (progress.bytesDone !== undefined) entry.rate.add(progress.bytesDone, performance.now());
      notify(entry.job);
    },
    removeOldest: (maxFinished) => {
      const finished = [...entries.values()].map(({ job }) => job).filter(isFinished);
      const oldest = finished.toSorted((a, b) => (a.updatedAt < b.updatedAt ? -1 : 1)).slice(0, Math.max(0, finished.length - maxFinished));
      for (const { request } of oldest) entries.delete(subjectOf(request));
      return oldest;
    },
    remove: (subject) => {
      const job = entries.get(subject)?.job;
      entries.delete(subject);
      if (job !== undefined) notify(job);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** A job as it is at this moment. */
export function viewOf<Request, Details>({ job, rate }: JobEntry<Request, Details>): JobView<Request, Details> {
  if (job.status !== 'running') return { ...job, bytesPerSecond: null, secondsLeft: null };
  const now = performance.now();
  return { ...job, bytesPerSecond: rate.perSecond(now), secondsLeft: rate.secondsLeft(job.bytesTotal - job.bytesDone, now) };
}
