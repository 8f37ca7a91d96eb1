/** What long work reports while it runs. Events go directly to the shell's renderer; results are returned. */
export type SkulkEvent =
  /** Something requested was not done, or was done differently. `--quiet` shows only this type. */
  | { readonly type: 'warning'; readonly message: string; readonly hint?: string | undefined }
  /** A message that only `--verbose` shows. */
  | { readonly type: 'note'; readonly message: string }
  /** The work waits for something else, e.g. another process. */
  | { readonly type: 'waiting'; readonly message: string }
  /** Something was done in addition to the request. */
  | { readonly type: 'done'; readonly message: string }
  | ProgressEvent;

/** The progress of a piece of work. A renderer never drops the first and the last event of a piece of work. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** The activity, as a verb in the -ing form: `staging`, `hashing`, `copying`, `verifying`. */
  readonly doing: string;
  /** The object of the activity, usually a model id. */
  readonly subject: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Where the bytes come from, if not only from the usual place: `shared with 3 nodes`. */
  readonly from?: string | undefined;
  /** The part of `bytesDone` that was here before. It does not count towards the transfer rate. */
  readonly bytesAtHand?: number | undefined;
}

/** Receives events; must not throw and must return at once. */
export type Emit = (event: SkulkEvent) => void;
