import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Limits } from '../app/limits.ts';
import { createSlots } from '../files/slots.ts';
import type { Feed } from './feed.ts';

/** Answers requests with the events of feeds. */
export interface EventStreams {
  /**
   * Returns when the stream has ended.
   * @throws SkulkError STORE_BUSY if there are too many streams; the error of reading a topic
   */
  answer<Name extends string>(request: FastifyRequest, reply: FastifyReply, feed: Feed<Name>): Promise<FastifyReply>;
}

/**
 * Server-Sent Events (WHATWG HTML, 9.2): first the state of every topic, then the complete state of each changed one. The streams end
 * when the server stops.
 */
export function createEventStreams(app: FastifyInstance, limits: Limits): EventStreams {
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  const slots = createSlots('pages and programs listen', limits.streams, limits.streamsPerAddress, 5_000);
  return {
    answer: async (request, reply, feed) => {
      const release = slots.take(request.ip);
      try {
        await stream(request, reply, { feed, limits, closing: closing.signal });
      } finally {
        release();
      }
      return reply;
    },
  };
}

async function stream<Name extends string>(
  request: FastifyRequest,
  reply: FastifyReply,
  { feed, limits, closing }: { readonly feed: Feed<Name>; readonly limits: Limits; readonly closing: AbortSignal },
): Promise<void> {
  const { raw } = reply;
  const closed = new Promise<void>((resolve) => raw.once('close', resolve));
  const writer = createEventWriter(raw, limits);
  const end = (): void => void raw.end();
  const stop = await feed.listen({
    notify: writer.notify,
    fail: (error) => {
      request.log.warn({ err: error, url: request.originalUrl }, 'a stream of events ended');
      end();
    },
  });
  closing.addEventListener('abort', end);
  try {
    closing.throwIfAborted();
    if (raw.destroyed) return;
    reply.hijack();
    writer.begin();
    await closed;
  } finally {
    stop();
    writer.close();
    closing.removeEventListener('abort', end);
  }
}

/**
 * Writes events as fast as the client reads. Nothing queues up for a slow client: only the newest state of each topic waits. A client
 * that reads nothing for too long is disconnected.
 */
function createEventWriter(raw: ServerResponse, { heartbeatMs, stallTimeoutMs }: Pick<Limits, 'heartbeatMs' | 'stallTimeoutMs'>) {
  const untold = new Map<string, string>();
  let hasBegun = false;
  let stall: NodeJS.Timeout | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  const write = (text: string): void => {
    if (!raw.write(text)) stall = setTimeout(() => raw.destroy(), stallTimeoutMs);
  };
  const flush = (): void => {
    for (const [name, json] of untold) {
      if (!hasBegun || stall !== undefined || raw.writableEnded) return;
      untold.delete(name);
      write(`event: ${name}\ndata: ${json}\n\n`);
    }
  };
  raw.on('drain', () => {
    clearTimeout(stall);
    stall = undefined;
    flush();
  });
  return {
    notify: (name: string, json: string): void => {
      untold.set(name, json);
      flush();
    },
    begin: (): void => {
      hasBegun = true;
      raw.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'X-Content-Type-Options': 'nosniff',
        'Cache-Control': 'no-store',
        // Otherwise nginx would buffer the events.
        'X-Accel-Buffering': 'no',
      });
      raw.flushHeaders();
      heartbeat = setInterval(() => {
        if (stall === undefined && !raw.writableEnded) write(': \n\n');
      }, heartbeatMs);
      flush();
    },
    close: (): void => {
      clearInterval(heartbeat);
      clearTimeout(stall);
      untold.clear();
    },
  };
}
