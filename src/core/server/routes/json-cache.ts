import type { FastifyReply } from 'fastify';
import { jsonYielding } from '../../kernel/flow/json-parts.ts';

const encoded = new WeakMap<object, Promise<Buffer>>();

/**
 * Answers with a value as JSON, without blocking other requests: a manifest may have 50,000 files. The text is cached for a value that
 * the store returns again.
 */
export async function sendJson(reply: FastifyReply, value: object): Promise<FastifyReply> {
  const body = encoded.get(value) ?? jsonYielding(value);
  encoded.set(value, body);
  return reply.type('application/json; charset=utf-8').send(await body);
}
