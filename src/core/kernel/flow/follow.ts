import type { SkulkError } from '../errors.ts';

/** Tells how something is, at once and again whenever it is otherwise, until the signal aborts; rejects with what it cannot go on for. */
export type Follow<T> = (tell: (now: T) => void, signal: AbortSignal) => Promise<void>;

/** How what is shown of a store comes about. */
export type Connection =
  /** Nothing was heard yet. */
  | { readonly state: 'connecting' }
  /** The store tells every change. */
  | { readonly state: 'live' }
  /** It cannot tell, so it is asked every few seconds. */
  | { readonly state: 'asking'; readonly because: string }
  /** What is shown is how it was; it is tried again. */
  | { readonly state: 'lost'; readonly message: string; readonly hint: string | null };

/** The connection that an error stands for. */
export const toLostConnection = ({ message, hint }: SkulkError): Connection => ({ state: 'lost', message, hint: hint ?? null });
