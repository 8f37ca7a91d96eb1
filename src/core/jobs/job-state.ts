import { type ErrorCode, SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { explainUnexpected } from '../kernel/process/missing-part.ts';

/** The status of a job. */
export type JobStatus = 'pending' | 'running' | 'complete' | 'failed' | 'cancelled';

/** Why a job did not finish. */
export interface JobFailure {
  readonly message: string;
  /** Null for an unexpected error. */
  readonly code: ErrorCode | null;
  readonly hint: string | null;
}

/** One piece of background work; sizes in bytes, times ISO 8601. `Details` has the fields of its kind. */
export interface Job<Request, Details> {
  /** The model that it makes, or makes a part of. */
  readonly modelId: ModelId;
  readonly request: Request;
  readonly status: JobStatus;
  /** Its current phase, for kinds with several phases. */
  readonly phase: string | null;
  readonly bytesDone: number;
  /** 0 while it is unknown. */
  readonly bytesTotal: number;
  readonly details: Details;
  /** Only for a failed or cancelled job. */
  readonly failure: JobFailure | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** The changes of a running job. Absent fields stay unchanged. */
export interface JobProgress<Details> {
  readonly phase?: string;
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
  /** The part of `bytesDone` that was already here, so it does not count towards the rate. */
  readonly bytesAtHand?: number;
  /** The part of `bytesDone` that was discarded and has not arrived again. A running job hides it, and one that stopped does not have it. */
  readonly bytesLost?: number;
  readonly details?: Partial<Details>;
}

/** The events of a job. */
export type JobEvent<Details> =
  | { readonly type: 'start' }
  | { readonly type: 'progress'; readonly progress: JobProgress<Details> }
  /** The process that ran it is ending, or has ended; the next one resumes it. */
  | { readonly type: 'interrupt' }
  | { readonly type: 'complete'; readonly progress: JobProgress<Details> }
  | { readonly type: 'fail' | 'cancel'; readonly failure: JobFailure; readonly bytesLost?: number };

/** The next status for each event. An event that is not in the table cannot occur in that status. */
const transitions: Readonly<Record<JobStatus, Partial<Record<JobEvent<never>['type'], JobStatus>>>> = {
  pending: { start: 'running', cancel: 'cancelled' },
  running: { progress: 'running', interrupt: 'pending', complete: 'complete', fail: 'failed', cancel: 'cancelled' },
  complete: {},
  failed: {},
  cancelled: {},
};

/** Whether a job cannot change any more. */
export const isFinished = ({ status }: { readonly status: JobStatus }): boolean => Object.keys(transitions[status]).length === 0;

/** A waiting job. @param before an earlier job that it resumes, so that its progress is visible from the beginning */
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

/** The job after an event. An event that its status does not allow returns the same object. */
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
      return { ...next, bytesDone: Math.max(0, next.bytesDone - (event.bytesLost ?? 0)), failure: event.failure };
  }
}

function advance<Request, Details>(
  job: Job<Request, Details>,
  { phase, bytesTotal = job.bytesTotal, bytesDone = 0, details }: JobProgress<Details>,
): Job<Request, Details> {
  const isSameWork = (phase === undefined || phase === job.phase) && bytesTotal === job.bytesTotal;
  // For the same bytes, the number never decreases, even after a kill.
  const done = Math.max(bytesDone, isSameWork ? job.bytesDone : 0);
  return { ...job, phase: phase ?? job.phase, bytesTotal, bytesDone: Math.min(bytesTotal, done), details: { ...job.details, ...details } };
}

/** From 0 to 1. Only a complete job is at 1, because unpublished data does not count. */
export function fractionDone({
  status,
  bytesDone,
  bytesTotal,
}: Pick<Job<unknown, unknown>, 'status' | 'bytesDone' | 'bytesTotal'>): number {
  if (status === 'complete') return 1;
  return bytesTotal === 0 ? 0 : Math.min(0.999, bytesDone / bytesTotal);
}

/** A job's description of an error. It reveals nothing about an unexpected one, whose text may contain anything. */
export const failureOf = (error: unknown): JobFailure =>
  error instanceof SkulkError
    ? { message: error.message, code: error.code, hint: error.hint ?? null }
    : { ...explainUnexpected(error), code: null };
