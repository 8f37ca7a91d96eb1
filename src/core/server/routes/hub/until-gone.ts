import type { FastifyReply } from 'fastify';
import { SkulkError } from '../../../kernel/errors.ts';

/** Aborts when the client disconnects. */
export function untilGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort(new SkulkError('INTERRUPTED', 'the client disconnected')));
  return gone.signal;
}
