import { SkulkError, systemCode } from '../../kernel/errors.ts';
import { NeedsOrdinaryClient } from './piece-reader.ts';
import type { SentError } from './thread-messages.ts';

/** Converts an error so that it can be sent to another thread. */
export function packError(error: unknown): SentError {
  const { message } = error instanceof Error ? error : { message: String(error) };
  if (error instanceof NeedsOrdinaryClient) return { message, needsOrdinaryClient: true };
  if (error instanceof SkulkError) return { message, code: error.code, hint: error.hint, retryAfterMs: error.retryAfterMs };
  return { message, systemCode: systemCode(error) };
}

/** Restores the error. */
export function unpackError({ message, code, hint, retryAfterMs, systemCode: system, needsOrdinaryClient }: SentError): Error {
  if (needsOrdinaryClient) return new NeedsOrdinaryClient(message);
  if (code !== undefined) return new SkulkError(code, message, { hint, retryAfterMs });
  return Object.assign(new Error(message), system === undefined ? {} : { code: system });
}
