import type { FastifyReply, FastifyRequest } from 'fastify';
import { HubRefusal, hubRefusals } from '../../../endpoint/contract.ts';
import { answerError } from '../../app/error-body.ts';

/** An error in the format of Hub clients. */
export interface HubFailure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: string };
  /** For the log. */
  readonly code: string;
}

/** Without this exact message, huggingface_hub reports a missing model. */
const badCredentials = 'Invalid credentials in Authorization header';

/** The clients' codes for skulk's own codes. */
const clientCodes: Readonly<Record<string, string>> = { MODEL_NOT_FOUND: 'RepoNotFound', REVISION_NOT_FOUND: 'RevisionNotFound' };

/** Turns any error into a Hub's answer. Pure. @param hasToken whether the request had a token */
export function hubFailure(error: unknown, { hasToken }: { readonly hasToken: boolean }): HubFailure {
  if (error instanceof HubRefusal) {
    const refusal: { readonly status: number; readonly code?: string } = hubRefusals[error.kind];
    const more = error.kind === 'entryNotFound' && error.commit !== undefined ? { 'X-Repo-Commit': error.commit } : {};
    // Hugging Face asks a client without a token for one first.
    const status = error.kind === 'gated' && !hasToken ? 401 : refusal.status;
    return failure(status, error.message, { code: refusal.code, more, name: refusal.code ?? error.kind });
  }
  const { status, headers, body } = answerError(error);
  const message = status === 401 && hasToken ? badCredentials : body.hint === null ? body.detail : `${body.detail}; ${body.hint}`;
  return failure(status, message, { code: clientCodes[body.code], more: headers, name: body.code });
}

function failure(
  status: number,
  message: string,
  { code, more, name }: { readonly code: string | undefined; readonly more: Readonly<Record<string, string>>; readonly name: string },
): HubFailure {
  return {
    status,
    headers: { ...more, ...(code !== undefined && { 'X-Error-Code': code }), 'X-Error-Message': headerText(message) },
    body: { error: message },
    code: name,
  };
}

/** A text for a header: one line of ASCII. */
const headerText = (text: string): string => text.replaceAll(/[^\x20-\x7e]+/g, '?').slice(0, 500);

/** Answers an error of a Hub route. */
export async function answerHubError(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { status, headers, body, code } = hubFailure(error, { hasToken: request.headers.authorization !== undefined });
  request.failure = code;
  const asked = { method: request.method, url: request.originalUrl };
  if (code === 'INTERNAL') request.log.error({ err: error, ...asked }, 'unexpected error');
  else if (status >= 500) request.log.warn({ code, ...asked }, body.error);
  await reply.code(status).headers(headers).type('application/json; charset=utf-8').send(body);
}
