import type { GivenOrder, KnownNode } from '../fleet/contract.ts';
import type { DownloadStatus } from '../jobs/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import { backoffDelay, pause, type RetryPolicy } from '../kernel/flow/backoff.ts';
import type { CountedEntry, StoreHealth } from '../store/contract.ts';
import { checkDownloads } from './downloads-client.ts';
import { checkGiven, checkNodes } from './fleet-client.ts';
import { checkCounted, checkHealth } from './http/check-answers.ts';
import type { Exchange } from './http/exchange.ts';
import { readEvents } from './http/read-events.ts';

/** What a store tells as it changes; each is its whole list. */
export type StoreNews =
  /** What follows is how it is now, and again whenever it is otherwise. */
  | { readonly kind: 'live' }
  /** Nothing is heard any more; it is tried again until it is `live` again. */
  | { readonly kind: 'lost'; readonly error: SkulkError }
  | { readonly kind: 'registry'; readonly entries: readonly CountedEntry[] }
  | { readonly kind: 'downloads'; readonly downloads: readonly DownloadStatus[] }
  | { readonly kind: 'nodes'; readonly nodes: readonly KnownNode[] }
  | { readonly kind: 'orders'; readonly orders: readonly GivenOrder[] }
  | { readonly kind: 'health'; readonly health: StoreHealth };

/** A list of very many models is one line. */
const mostBytes = 64 * 1024 * 1024;
/** A stream shows every ten seconds that it lives. */
const silenceMs = 25_000;
/** A person looks, so it does not take long until it is tried again. */
const reconnecting: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, firstDelayMs: 250, longestDelayMs: 5_000 };

/**
 * Listens to `GET /store/events` until the signal aborts; a connection that is lost comes back by itself.
 * @throws SkulkError NOT_FOUND of a store that has no such stream; STORE_BUSY when too many listen; CONFIG for a refused token
 */
export async function* listenForNews(exchange: Exchange, signal: AbortSignal): AsyncGenerator<StoreNews> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const news of listenOnce(exchange, signal)) {
        attempt = 1;
        yield news;
      }
      throw new SkulkError('STORE_UNREACHABLE', `the store at ${exchange.url} ended the connection`, { hint: 'is it being restarted?' });
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
    { path: '/store/events', headers, accept: [200, 404, 405], signal, silenceMs },
    async function* (response, watchdog) {
      if (response.status !== 200 || response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
        throw new SkulkError('NOT_FOUND', `the store at ${url} does not tell what changes`);
      yield { kind: 'live' };
      for await (const { name, data } of readEvents(response, { url, limit: mostBytes, watchdog })) {
        const news = readNews(name, data, url);
        if (news !== undefined) yield news;
      }
    },
  );
}

/** What an event says; undefined for one that a newer store tells. */
function readNews(name: string, data: unknown, url: string): StoreNews | undefined {
  const { entries, downloads, nodes, orders, ...rest } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  switch (name) {
    case 'registry':
      return { kind: 'registry', entries: checkCounted(entries, url) };
    case 'downloads':
      return { kind: 'downloads', downloads: checkDownloads(downloads, url) };
    case 'nodes':
      return { kind: 'nodes', nodes: checkNodes(nodes, url) };
    case 'orders':
      return { kind: 'orders', orders: Array.isArray(orders) ? orders.flatMap((one: unknown) => givenOrNone(one, url)) : [] };
    case 'health':
      return { kind: 'health', health: checkHealth(inSnakeCase(rest), url) };
    default:
      return undefined;
  }
}

/** An order of a kind that only a newer skulk knows does not hide the others. */
function givenOrNone(value: unknown, url: string): readonly GivenOrder[] {
  try {
    return [checkGiven(value, url)];
  } catch {
    return [];
  }
}

/** The API writes the health of a store in other names than the store's own port does. */
const inSnakeCase = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), value]));
