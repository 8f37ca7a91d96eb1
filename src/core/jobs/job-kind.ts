import type { ModelId } from '../kernel/model-id.ts';
import type { Job, JobProgress } from './job-state.ts';

/** A kind of background work: what a request asks for, and how it is carried out. */
export interface JobKind<Request, Details> {
  /** As in `no download job for org/name`. */
  readonly name: string;
  /** As in `the download of org/name has ended`. */
  readonly describe: (request: Request) => string;
  readonly hints: {
    /** For a model without a job. */
    readonly notFound: string;
    /** For a job that was cancelled. */
    readonly cancelled: (request: Request) => string;
  };
  /** The model that the work makes. */
  readonly modelOf: (request: Request) => ModelId;
  /** What there is one job of at a time; the model when absent. */
  readonly subjectOf?: (request: Request) => string;
  /** Of the jobs with the same text one runs at a time; each may run beside each other when absent. */
  readonly laneOf?: (request: Request) => string;
  /** Whether a job for `other`, of the same model, gives all that `request` asks for. */
  readonly isCovered: (request: Request, other: Request) => boolean;
  /** Why a request has to wait for a job of the same subject that does not give what it asks for; a general reason when absent. */
  readonly conflictOf?: (request: Request, running: Request) => { readonly message: string; readonly hint: string };
  /** What a new job begins with. @param before an earlier job that did not get to its end, and whose work can be used */
  readonly initialDetails: (request: Request, before: Job<Request, Details> | undefined) => Details;
  /**
   * What is known of the result when it is there already, so that nothing has to be done; else undefined. Asked before a job is made.
   * @throws SkulkError when the work may not be done
   */
  readonly findResult?: (request: Request) => Promise<JobProgress<Details> | undefined>;
  /** Rejects with a SkulkError when another process is doing the work. Asked before a job that no process of ours runs is changed. */
  readonly requireOurs?: (modelId: ModelId) => Promise<void>;
  /**
   * Does the work; goes on where an earlier try stopped. It settles only after everything that it started has ended.
   * @returns what is known at the end
   */
  readonly run: (job: Job<Request, Details>, context: JobContext<Details>) => Promise<JobProgress<Details>>;
}

/** What running work gets. */
export interface JobContext<Details> {
  /** Aborted by a cancel, and when the process ends. */
  readonly signal: AbortSignal;
  readonly report: (progress: JobProgress<Details>) => void;
  /** Writes the job down now, so that what was reported outlives the process. A failure is a warning. */
  readonly save: () => Promise<void>;
}

/** A job with what it has of speed. */
export interface JobView<Request, Details> extends Job<Request, Details> {
  /** Over the last seconds; null while it is not known. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
}

/** Background work of one kind: one job for each subject, which is the model unless the kind says otherwise; a few of them running, the others waiting in order. */
export interface JobQueue<Request, Details> {
  /** Reads what earlier processes left, once. Every other method but the synchronous ones does it by itself. */
  load(): Promise<void>;
  /**
   * Asks for work. What is done already is `complete`; a job that gives the same is joined; what failed goes on.
   * @throws SkulkError CONFLICT when the subject has a job for another request, or very many wait; what the kind refuses with
   */
  submit(request: Request): Promise<JobView<Request, Details>>;
  /** @throws SkulkError JOB_NOT_FOUND */
  find(subject: string): Promise<JobView<Request, Details>>;
  /** What is known: running and waiting jobs, and the last ones that finished, in the order in which they were asked for. */
  list(): readonly JobView<Request, Details>[];
  /**
   * Stops a job and waits until it has ended.
   * @throws SkulkError JOB_NOT_FOUND, CONFLICT when it is finished already
   */
  cancel(subject: string): Promise<JobView<Request, Details>>;
  /** Forgets a job that has ended. */
  forget(subject: string): Promise<void>;
  /** Takes up what earlier processes left. */
  resume(): Promise<void>;
  /** Whether a subject has a job that is not finished. */
  isActive(subject: string): boolean;
  /** Calls back at once and often, with each job that changed; the returned function ends that. */
  subscribe(listener: (job: Job<Request, Details>) => void): () => void;
  /** Stops what runs. Jobs that are written down are taken up by the next process; others fail. */
  close(): Promise<void>;
}
