import { SkulkError } from '../kernel/errors.ts';
import { backoffDelay, pause, type RetryPolicy } from '../kernel/flow/backoff.ts';
import { type StoreTopics, storeTopics } from '../protocol/events.ts';
import { fromHealthView, type StoreHealth } from '../protocol/health.ts';
import { callOf } from '../protocol/routes/call.ts';
import type { Exchange } from './http/exchange.ts';
import { readAnswer, withOrigin } from './http/read-answer.ts';
import { readEvents } from './http/read-events.ts';

/** The events of a store; each has the complete list. */
export type StoreNews =
  /** Followed by the current state, and then by every change. */
  | { readonly kind: 'live' }
  /** The connection is lost, and is retried until it is `live` again. */
  | { readonly kind: 'lost'; readonly error: SkulkError }
  | { readonly kind: 'registry'; readonly entries: StoreTopics['registry']['entries'] }
  | { readonly kind: 'downloads'; readonly downloads: StoreTopics['downloads']['downloads'] }
  | { readonly kind: 'optimizations'; readonly optimizations: StoreTopics['optimizations']['optimizations'] }
  | { readonly kind: 'nodes'; readonly nodes: StoreTopics['nodes']['nodes'] }
  | { readonly kind: 'orders'; readonly orders: StoreTopics['orders']['orders'] }
  | { readonly kind: 'health'; readonly health: StoreHealth };

type ListTopic = Exclude<StoreNews['kind'], 'live' | 'lost'>;

/** A list of very many models is one line. */
const maxBytes = 64 * 1024 * 1024;
/** A stream has a heartbeat every ten seconds. */
const silenceMs = 25_000;
/** The user is watching, so the retries are frequent. */
const reconnecting: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, firstDelayMs: 250, maxDelayMs: 5_000 };

/**
 * Reads `GET /store/events` until the signal aborts, and reconnects automatically.
 * @throws SkulkError NOT_FOUND for a store without such a stream; STORE_BUSY if there are too many streams; CONFIG for a rejected token
 */
export async function* listenForNews(exchange: Exchange, signal: AbortSignal): AsyncGenerator<StoreNews> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const news of listenOnce(exchange, signal)) {
        attempt = 1;
        yield news;
      }
      throw new SkulkError('STORE_UNREACHABLE', `the store at ${exchange.url} ended the connection`, { hint: 'it may be restarting' });
    } catch (error) {
      if (!(error instanceof SkulkError) || error.code !== 'STORE_UNREACHABLE' || signal.aborted) throw error;
      yield { kind: 'lost', error };
    }
    await pause(backoffDelay(reconnecting, Math.min(attempt, 10)), signal);
  }
}

function listenOnce(exchange: Exchange, signal: AbortSignal): AsyncGenerator<StoreNews> {
  const { url } = exchange;
  const headers = { Accept: 'text/event-stream' };
  return exchange.stream<StoreNews>(
    { ...callOf('GET /store/events', {}), headers, accept: [200, 404, 405], signal, silenceMs },
    async function* (response, watchdog) {
      if (response.status !== 200 || response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
        throw new SkulkError('NOT_FOUND', `the store at ${url} does not report changes`);
      yield { kind: 'live' };
      for await (const { name, data } of readEvents(response, { url, limit: maxBytes, watchdog })) {
        const news = readNews(name, data, url);
        if (news !== undefined) yield news;
      }
    },
  );
}

/** Parses an event; undefined for an unknown one of a newer store. Throws STORE_UNREACHABLE for an invalid one. */
function readNews(kind: string, data: unknown, url: string): StoreNews | undefined {
  const read = <K extends ListTopic>(name: K): StoreTopics[K] =>
    readAnswer(storeTopics.properties[name], data, { url, why: `it sent an impossible list of ${name}` }) as StoreTopics[K];
  switch (kind) {
    case 'registry':
      return { kind, ...read(kind) };
    case 'downloads':
      return { kind, ...read(kind) };
    case 'optimizations':
      return { kind, ...read(kind) };
    case 'nodes':
      return { kind, nodes: read(kind).nodes };
    case 'orders':
      return { kind, ...read(kind) };
    case 'health':
      return { kind, health: withOrigin(fromHealthView(read(kind))) };
    default:
      return undefined;
  }
}
