/** What long work reports while it runs. Events go sideways to the shell's renderer; results are returned. */
export type SkulkEvent =
  | { readonly type: 'warning'; readonly message: string; readonly hint?: string | undefined }
  /** Something that only `--verbose` shows. */
  | { readonly type: 'note'; readonly message: string }
  /** Work that waits for something else, e.g. another process. */
  | { readonly type: 'waiting'; readonly message: string }
  /** Something that was done beside what was asked for. */
  | { readonly type: 'done'; readonly message: string }
  | ProgressEvent;

/** How far a piece of work is. The first and the last event of a piece of work are never dropped by a renderer. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** What is being done, as a verb in the -ing form: `staging`, `hashing`, `copying`, `verifying`. */
  readonly doing: string;
  /** What it is done to, usually a model id. */
  readonly subject: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Of `bytesDone`, what was here before: it says nothing of how fast the rest comes. */
  readonly bytesAtHand?: number | undefined;
}

/** Receives events; must not throw and must return at once. */
export type Emit = (event: SkulkEvent) => void;
