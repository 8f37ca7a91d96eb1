import { type ErrorCode, errorCodes, SkulkError } from '../../kernel/errors.ts';
import { explainSystemError } from '../../kernel/explain-system-error.ts';
import { explainUnexpected } from '../../kernel/process/missing-part.ts';
import { formatBytes } from '../../kernel/units.ts';

/** An error answer. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly detail: string;
    readonly code: ErrorCode | 'INTERNAL';
    readonly hint: string | null;
    readonly store_url?: string | null;
  };
}

/**
 * Turns any error into an answer. An unexpected one is answered without details.
 * @param bodyLimit the maximum size of a body of this request, in bytes
 */
export function answerError(given: unknown, { bodyLimit }: { readonly bodyLimit?: number | undefined } = {}): ErrorAnswer {
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
  if (status === undefined) return internalError(error);
  const { detail, hint = 'GET /openapi.json describes the requests' } = explainRequestFault(error as Error, bodyLimit);
  return { status, headers: {}, body: { detail, code: 'BAD_REQUEST', hint } };
}

/** Fastify's names of its errors are stable; its sentences do not say what to do. */
function explainRequestFault(
  { code, message }: Error & { readonly code?: unknown },
  bodyLimit: number | undefined,
): { readonly detail: string; readonly hint?: string } {
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return {
        detail: 'the content type of the body is not supported here',
        hint: 'send JSON with Content-Type: application/json, and the bytes of an upload with application/octet-stream',
      };
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyLimit === undefined
        ? { detail: 'the body is too large' }
        : { detail: `the body is larger than ${formatBytes(bodyLimit)}`, hint: `send at most ${bodyLimit} bytes` };
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return { detail: 'the body is not valid JSON' };
    default:
      return { detail: message };
  }
}

/** The last line of long work that fails after its answer has begun. */
export function errorLine(error: unknown): {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null };
} {
  const { code, detail, hint } = answerError(error).body;
  return { error: { code, message: detail, hint } };
}

function internalError(error: unknown): ErrorAnswer {
  const { message, hint } = explainUnexpected(error);
  return { status: 500, headers: {}, body: { detail: message, code: 'INTERNAL', hint } };
}

/** Fastify's own errors (bad JSON, too large a body, …) have a status, and only describe the request. */
function clientFault(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : undefined;
}
