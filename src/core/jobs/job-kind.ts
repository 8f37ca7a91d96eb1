import type { ModelId } from '../kernel/model-id.ts';
import type { Job, JobProgress } from './job-state.ts';

/** A kind of background work: its requests, and how they are carried out. */
export interface JobKind<Request, Details> {
  /** As in `no download job for org/name`. */
  readonly name: string;
  /** As in `the download of org/name has ended`. */
  readonly describe: (request: Request) => string;
  readonly hints: {
    /** The hint for a model without a job. */
    readonly notFound: string;
    /** The hint for cancelling a job that has ended. */
    readonly ended: string;
    /** The message for a cancelled job. */
    readonly cancelled: (request: Request) => string;
  };
  /** The model that the work makes. */
  readonly modelOf: (request: Request) => ModelId;
  /** There is one job at a time per subject; if absent, the subject is the model. */
  readonly subjectOf?: (request: Request) => string;
  /** Of the jobs in one lane, one runs at a time; if absent, all jobs may run in parallel. */
  readonly laneOf?: (request: Request) => string;
  /** Whether a job for `other`, of the same model, includes everything in `request`. */
  readonly isCovered: (request: Request, other: Request) => boolean;
  /** Why a request must wait for a running job of the same subject; if absent, a general reason. */
  readonly conflictOf?: (request: Request, running: Request) => { readonly message: string; readonly hint: string };
  /** The initial details of a new job. @param before an earlier unfinished job whose work can be reused */
  readonly initialDetails: (request: Request, before: Job<Request, Details> | undefined) => Details;
  /**
   * The known details of an existing result, so that there is nothing to do; else undefined. Called before a job is created.
   * @throws SkulkError if the work is not allowed
   */
  readonly findResult?: (request: Request) => Promise<JobProgress<Details> | undefined>;
  /** Rejects with a SkulkError if another process is doing the work. Called before changing a job that this process does not run. */
  readonly requireOurs?: (modelId: ModelId) => Promise<void>;
  /**
   * Does the work; resumes an earlier try. Settles only after everything that it started has ended.
   * @returns the final details
   */
  readonly run: (job: Job<Request, Details>, context: JobContext<Details>) => Promise<JobProgress<Details>>;
}

/** The context of running work. */
export interface JobContext<Details> {
  /** Aborted by a cancellation, and when the process ends. */
  readonly signal: AbortSignal;
  readonly report: (progress: JobProgress<Details>) => void;
  /** Saves the job now, so that its progress outlives the process. A failure is a warning. */
  readonly save: () => Promise<void>;
}

/** A job with its transfer rate. */
export interface JobView<Request, Details> extends Job<Request, Details> {
  /** The mean of the last seconds; null while it is unknown. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
}

/** Background work of one kind, with one job per subject (by default the model). A few jobs run; the others wait in order. */
export interface JobQueue<Request, Details> {
  /** Reads the jobs of earlier processes, once. Every asynchronous method does that first. */
  load(): Promise<void>;
  /**
   * Requests work. Finished work is `complete`, a job with the same result is joined, and a failed one is resumed.
   * @throws SkulkError CONFLICT if the subject has a job for another request, or too many wait; the kind's own errors
   */
  submit(request: Request): Promise<JobView<Request, Details>>;
  /** @throws SkulkError JOB_NOT_FOUND */
  find(subject: string): Promise<JobView<Request, Details>>;
  /** Running and waiting jobs, and the last finished ones, in the order of their requests. */
  list(): readonly JobView<Request, Details>[];
  /**
   * Cancels a job and waits until it has ended.
   * @throws SkulkError JOB_NOT_FOUND, CONFLICT if it has already finished
   */
  cancel(subject: string): Promise<JobView<Request, Details>>;
  /** Removes a finished job. */
  forget(subject: string): Promise<void>;
  /** Resumes the jobs of earlier processes. */
  resume(): Promise<void>;
  /** Whether a subject has an unfinished job. */
  isActive(subject: string): boolean;
  /** Calls the listener without delay, and often, with each changed job. The returned function removes the listener. */
  subscribe(listener: (job: Job<Request, Details>) => void): () => void;
  /** Stops running jobs. The next process resumes saved jobs; others fail. */
  close(): Promise<void>;
}
