import type { FastifyReply } from 'fastify';

const encoded = new WeakMap<object, Buffer>();

/** Answers with a value as JSON. The text of a value that the store hands out again is not made again: a manifest may have 50,000 files. */
export function sendJson(reply: FastifyReply, value: object): FastifyReply {
  let body = encoded.get(value);
  if (body === undefined) {
    body = Buffer.from(JSON.stringify(value));
    encoded.set(value, body);
  }
  return reply.type('application/json; charset=utf-8').send(body);
}
