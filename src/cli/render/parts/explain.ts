import { SkulkError } from '../../../core/kernel/errors.ts';
import { explainAnySystemError } from '../../../core/kernel/explain-system-error.ts';

/** An error, as a sentence with a hint. */
export interface Problem {
  readonly message: string;
  readonly hint: string | undefined;
}

/** Explains an error; an unexpected one is reported as a bug. */
export function explain(error: unknown): Problem {
  const known = explainAnySystemError(error);
  if (isForbidden(known)) return { message: 'read-only: changes need a token with the role node (SKULK_TOKEN)', hint: undefined };
  if (known instanceof SkulkError) return { message: known.message, hint: known.hint };
  const message = error instanceof Error ? error.message : String(error);
  return { message: `${message} (this is a bug in skulk)`, hint: 'please report it' };
}

/** No action of a full-screen view needs a higher role than that of a node. */
const isForbidden = (error: unknown): boolean =>
  error instanceof SkulkError && (error.code === 'FORBIDDEN' || (error.cause instanceof SkulkError && error.cause.code === 'FORBIDDEN'));
