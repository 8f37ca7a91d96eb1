import { type ErrorCode, errorCodes, SkulkError } from '../../kernel/errors.ts';
import { explainSystemError } from '../../kernel/explain-system-error.ts';

/** An error answer. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly detail: string; readonly code: ErrorCode | 'INTERNAL'; readonly hint: string | null };
}

/** Turns any error into an answer. An unexpected one is answered without details. */
export function answerError(given: unknown): ErrorAnswer {
  const error = explainSystemError(given, 'disk error on the server');
  if (error instanceof SkulkError) {
    const { code, message, hint, retryAfterMs } = error;
    const retry = retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
    return {
      status: errorCodes[code].http,
      headers: { ...retry, ...(code === 'UNAUTHORIZED' && { 'WWW-Authenticate': 'Bearer' }) },
      body: { detail: message, code, hint: hint ?? null },
    };
  }
  const status = clientFault(error);
  if (status === undefined) return internalError;
  return {
    status,
    headers: {},
    body: { detail: (error as Error).message, code: 'BAD_REQUEST', hint: 'GET /openapi.json describes the requests' },
  };
}

/** The last line of long work that fails after its answer has begun. */
export function errorLine(error: unknown): {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null };
} {
  const { code, detail, hint } = answerError(error).body;
  return { error: { code, message: detail, hint } };
}

const internalError: ErrorAnswer = {
  status: 500,
  headers: {},
  body: { detail: 'internal error in skulk', code: 'INTERNAL', hint: 'see the log of `skulk serve`, and please report it' },
};

/** Fastify's own errors (bad JSON, too large a body, …) have a status, and only describe the request. */
function clientFault(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : undefined;
}
