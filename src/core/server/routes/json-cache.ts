import type { FastifyReply } from 'fastify';
import { jsonYielding } from '../../kernel/flow/json-parts.ts';

const encoded = new WeakMap<object, Promise<Buffer>>();

/**
 * Answers with a value as JSON, which is made without keeping others waiting: a manifest may have 50,000 files. The text of a value that
 * the store hands out again is not made again.
 */
export async function sendJson(reply: FastifyReply, value: object): Promise<FastifyReply> {
  const body = encoded.get(value) ?? jsonYielding(value);
  encoded.set(value, body);
  return reply.type('application/json; charset=utf-8').send(await body);
}
