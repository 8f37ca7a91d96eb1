import type { FastifyReply, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import type { WorkOptions } from '../../store/contract.ts';
import { answerError, errorLine } from '../app/error-body.ts';

/** How many bytes a client may leave unread. */
const maxUnread = 64 * 1024;

/**
 * Answers long work with lines of JSON: progress at most every `intervalMs`, also as a heartbeat, then `{"result"}` or `{"error"}`. An
 * error before the first line is an ordinary error. If the client disconnects, the work is aborted.
 */
export async function streamWork(
  { request, reply, intervalMs }: { request: FastifyRequest; reply: FastifyReply; intervalMs: number },
  work: (options: WorkOptions) => Promise<unknown>,
): Promise<void> {
  const { raw } = reply;
  const { socket } = request;
  const controller = new AbortController();
  const onClose = (): void => controller.abort(new SkulkError('INTERRUPTED', 'the client disconnected'));
  const progress = { bytes_done: 0, bytes_total: 0 };
  let hasBegun = false;
  const begin = (): void => {
    if (hasBegun) return;
    hasBegun = true;
    reply.hijack();
    raw.writeHead(200, {
      'Content-Type': 'application/x-ndjson; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    });
  };
  const heartbeat = setInterval(() => {
    begin();
    if (raw.writableLength < maxUnread) raw.write(`${JSON.stringify({ progress })}\n`);
  }, intervalMs);
  socket.once('close', onClose);
  if (socket.destroyed) onClose();
  try {
    const onBytes = (done: number, total: number): void => {
      progress.bytes_done = done;
      progress.bytes_total = total;
    };
    const result = await work({ signal: controller.signal, onBytes });
    begin();
    raw.end(`${JSON.stringify({ result })}\n`);
  } catch (error) {
    if (!hasBegun) throw error;
    request.failure = answerError(error).body.code;
    if (!(error instanceof SkulkError)) request.log.error({ err: error, url: request.originalUrl }, 'unexpected error');
    raw.end(`${JSON.stringify(errorLine(error))}\n`);
  } finally {
    clearInterval(heartbeat);
    socket.off('close', onClose);
  }
}
