import type { SkulkError } from '../errors.ts';

/** Reports a state at once and after each change, until the signal aborts. Rejects with the error that ends it. */
export type Follow<T> = (report: (now: T) => void, signal: AbortSignal) => Promise<void>;

/** The connection to a store whose state is shown. */
export type Connection =
  /** No answer has arrived yet. */
  | { readonly state: 'connecting' }
  /** The store sends every change. */
  | { readonly state: 'live' }
  /** The store cannot send changes, so it is polled every few seconds. */
  | { readonly state: 'asking'; readonly because: string }
  /** The connection failed and is being retried. The shown state is the last known one. */
  | { readonly state: 'lost'; readonly message: string; readonly hint: string | null };

/** The lost connection for an error. */
export const toLostConnection = ({ message, hint }: SkulkError): Connection => ({ state: 'lost', message, hint: hint ?? null });
