import { type ErrorCode, SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';

/** Where a job is in its life. */
export type JobStatus = 'pending' | 'running' | 'complete' | 'failed' | 'cancelled';

/** Why a job did not get to its end. */
export interface JobFailure {
  readonly message: string;
  /** Null when skulk did not foresee it. */
  readonly code: ErrorCode | null;
  readonly hint: string | null;
}

/** One piece of background work; sizes in bytes, times ISO 8601. `Details` is what only its kind knows. */
export interface Job<Request, Details> {
  /** The model that it makes, or a part of. */
  readonly modelId: ModelId;
  readonly request: Request;
  readonly status: JobStatus;
  /** What it is doing, for kinds that do one thing after the other. */
  readonly phase: string | null;
  readonly bytesDone: number;
  /** 0 while it is not known. */
  readonly bytesTotal: number;
  readonly details: Details;
  /** Only of a job that failed or was cancelled. */
  readonly failure: JobFailure | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What changed in a running job; what is absent stays. */
export interface JobProgress<Details> {
  readonly phase?: string;
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
  /** Of `bytesDone`, those that were here already, so that they say nothing of the speed. */
  readonly bytesAtHand?: number;
  readonly details?: Partial<Details>;
}

/** What can happen to a job. */
export type JobEvent<Details> =
  | { readonly type: 'start' }
  | { readonly type: 'progress'; readonly progress: JobProgress<Details> }
  /** The process that ran it ends, or has ended; the next one takes it up. */
  | { readonly type: 'interrupt' }
  | { readonly type: 'complete'; readonly progress: JobProgress<Details> }
  | { readonly type: 'fail'; readonly failure: JobFailure }
  | { readonly type: 'cancel'; readonly failure: JobFailure };

/** What follows when something happens. What is not in the table cannot happen in that status. */
const transitions: Readonly<Record<JobStatus, Partial<Record<JobEvent<never>['type'], JobStatus>>>> = {
  pending: { start: 'running', cancel: 'cancelled' },
  running: { progress: 'running', interrupt: 'pending', complete: 'complete', fail: 'failed', cancel: 'cancelled' },
  complete: {},
  failed: {},
  cancelled: {},
};

/** Whether nothing will happen to a job any more. */
export const isFinished = ({ status }: { readonly status: JobStatus }): boolean => Object.keys(transitions[status]).length === 0;

/** A job that waits for its turn. @param before an earlier job whose work it goes on with, so that it shows from the beginning */
export const newJob = <Request, Details>(
  given: Pick<Job<Request, Details>, 'modelId' | 'request' | 'details'>,
  { now, before }: { readonly now: Date; readonly before?: Job<Request, Details> | undefined },
): Job<Request, Details> => ({
  ...given,
  status: 'pending',
  phase: before?.phase ?? null,
  bytesDone: before?.bytesDone ?? 0,
  bytesTotal: before?.bytesTotal ?? 0,
  failure: null,
  createdAt: now.toISOString(),
  updatedAt: now.toISOString(),
});

/** The job after an event. An event that its status does not allow changes nothing: then it is the very same object. */
export function applyEvent<Request, Details>(job: Job<Request, Details>, event: JobEvent<Details>, now: Date): Job<Request, Details> {
  const status = transitions[job.status][event.type];
  if (status === undefined) return job;
  const next = { ...job, status, updatedAt: now.toISOString() };
  switch (event.type) {
    case 'start':
    case 'interrupt':
      return next;
    case 'progress':
      return advance(next, event.progress);
    case 'complete': {
      const last = advance(next, event.progress);
      return { ...last, bytesDone: last.bytesTotal };
    }
    case 'fail':
    case 'cancel':
      return { ...next, failure: event.failure };
  }
}

function advance<Request, Details>(
  job: Job<Request, Details>,
  { phase, bytesTotal = job.bytesTotal, bytesDone = 0, details }: JobProgress<Details>,
): Job<Request, Details> {
  const isSameWork = (phase === undefined || phase === job.phase) && bytesTotal === job.bytesTotal;
  // Of the same bytes it never has fewer than it had, whatever a kill cost.
  const done = Math.max(bytesDone, isSameWork ? job.bytesDone : 0);
  return { ...job, phase: phase ?? job.phase, bytesTotal, bytesDone: Math.min(bytesTotal, done), details: { ...job.details, ...details } };
}

/** From 0 to 1. Only a complete job is at 1: what is not published is not there. */
export function fractionDone({
  status,
  bytesDone,
  bytesTotal,
}: Pick<Job<unknown, unknown>, 'status' | 'bytesDone' | 'bytesTotal'>): number {
  if (status === 'complete') return 1;
  return bytesTotal === 0 ? 0 : Math.min(0.999, bytesDone / bytesTotal);
}

/** What a job says of an error. Nothing is told of one that skulk did not foresee: its text may name anything. */
export const failureOf = (error: unknown): JobFailure =>
  error instanceof SkulkError
    ? { message: error.message, code: error.code, hint: error.hint ?? null }
    : { message: 'internal error in skulk', code: null, hint: 'see the log of `skulk serve`, and please report it' };
