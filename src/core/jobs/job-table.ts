import { createTransferRate, type TransferRate } from '../kernel/flow/transfer-rate.ts';
import type { JobView } from './job-kind.ts';
import { applyEvent, isFinished, type Job, type JobEvent } from './job-state.ts';

/** A job in memory, with this process's own state. */
export interface JobEntry<Request, Details> {
  job: Job<Request, Details>;
  rate: TransferRate;
  /** The part of the existing bytes that was not transferred. */
  bytesAtHand: number;
  /** See `JobProgress`. */
  bytesLost: number;
  readonly abort: AbortController;
  /** Whether this process runs it, or will. A job of another process is only queued when it is resumed. */
  isQueued: boolean;
  /** Settles when its run has ended and is saved; undefined before it runs. */
  work: Promise<void> | undefined;
}

/** The jobs of a queue in memory: the newest of each subject, in the order of their requests. */
export interface JobTable<Request, Details> {
  get(subject: string): JobEntry<Request, Details> | undefined;
  all(): readonly JobEntry<Request, Details>[];
  /** Adds a job at the end, and removes an earlier one of its subject. */
  put(job: Job<Request, Details>): JobEntry<Request, Details>;
  /** Applies an event, and notifies the subscribers of a change. */
  apply(entry: JobEntry<Request, Details>, event: JobEvent<Details>): void;
  /** Removes the oldest finished jobs, beyond the number to keep. @returns the removed jobs */
  removeOldest(maxFinished: number): readonly Job<Request, Details>[];
  /** Removes a job, and notifies the subscribers. */
  remove(subject: string): void;
  subscribe(listener: (job: Job<Request, Details>) => void): () => void;
}

/** Starts empty. @param subjectOf there is one job at a time per subject */
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
      const entry = {
        job,
        rate: createTransferRate(),
        bytesAtHand: 0,
        bytesLost: 0,
        abort: new AbortController(),
        isQueued: false,
        work: undefined,
      };
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
      const { bytesAtHand = entry.bytesAtHand, bytesLost = entry.bytesLost } = progress;
      // The rate of one phase does not apply to the next, and existing bytes are only counted, not transferred.
      if (entry.job.phase !== before.phase || bytesAtHand !== entry.bytesAtHand) entry.rate = createTransferRate();
      entry.bytesAtHand = bytesAtHand;
      entry.bytesLost = bytesLost;
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

/** The current state of a job. */
export function viewOf<Request, Details>({ job, rate }: JobEntry<Request, Details>): JobView<Request, Details> {
  if (job.status !== 'running') return { ...job, bytesPerSecond: null, secondsLeft: null };
  const now = performance.now();
  return { ...job, bytesPerSecond: rate.perSecond(now), secondsLeft: rate.secondsLeft(job.bytesTotal - job.bytesDone, now) };
}
