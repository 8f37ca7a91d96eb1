import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { asRegistryRefusal, RegistryRefusal } from '../../../endpoint/registry/refusal.ts';
import { answerError } from '../../app/error-body.ts';

/** The header in every answer of a registry. */
export const registryVersion = { 'Docker-Distribution-Api-Version': 'registry/2.0' } as const;

/** A registry's codes for skulk's own codes; for other codes the status decides. */
const codes: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'DENIED',
  FORBIDDEN: 'DENIED',
  MODEL_NOT_FOUND: 'NAME_UNKNOWN',
  BAD_MODEL_ID: 'NAME_UNKNOWN',
  FILE_NOT_FOUND: 'BLOB_UNKNOWN',
  RANGE_NOT_SATISFIABLE: 'RANGE_INVALID',
  TOO_MANY_REQUESTS: 'TOOMANYREQUESTS',
};

/**
 * Answers an error as registries do. A 401 would make Ollama start an exchange of keys with this server, so only llama.cpp programs get
 * one: node-llama-cpp only sends its token after a 401.
 */
export async function answerRegistryError(given: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  // An opened file fails with a Hub's refusal.
  const error = asRegistryRefusal(given);
  if (error instanceof RegistryRefusal) {
    request.failure = error.code;
    return send(reply, { status: error.status, code: error.code, message: error.message });
  }
  const { status, headers, body } = answerError(error);
  request.failure = body.code;
  if (body.code === 'INTERNAL') request.log.error({ err: error, method: request.method, url: request.originalUrl }, 'unexpected error');
  else if (status >= 500) request.log.warn({ code: body.code, method: request.method, url: request.originalUrl }, body.detail);
  const isForLlama = /llama-cpp/i.test(request.headers['user-agent'] ?? '');
  const { 'WWW-Authenticate': _, ...others } = headers;
  const code = codes[body.code] ?? (status >= 500 ? 'UNAVAILABLE' : 'UNKNOWN');
  return send(reply.headers(isForLlama ? headers : others), {
    status: status === 401 && !isForLlama ? 403 : status,
    code,
    message: body.hint === null ? body.detail : `${body.detail}; ${body.hint}`,
  });
}

async function send(
  reply: FastifyReply,
  { status, code, message }: { readonly status: number; readonly code: string; readonly message: string },
): Promise<void> {
  await reply
    .code(status)
    .headers(registryVersion)
    .type('application/json; charset=utf-8')
    .send({ errors: [{ code, message }] });
}
