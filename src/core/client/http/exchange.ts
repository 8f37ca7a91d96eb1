import type { LookupFunction } from 'node:net';
import type { RequestInit } from 'node-fetch';
import { type SkulkError, systemCode } from '../../kernel/errors.ts';
import { mapNetworkError, mapRefusal } from './map-failure.ts';
import { readJson } from './read-body.ts';
import { createTransport, type Response, type Transport } from './transport.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

/** One request to the store. */
export interface Call {
  /** Below the store's URL, escaped. */
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** A body that is not JSON. */
  readonly bytes?: Uint8Array;
  /** Statuses that are not errors; 200 when absent. */
  readonly accept?: readonly number[];
  readonly signal?: AbortSignal | undefined;
  /** How long nothing may come; the client's own when absent. */
  readonly silenceMs?: number | undefined;
}

/** Sends requests to one store and reads their answers. */
export interface Exchange {
  readonly url: string;
  /** Sends a call and hands the answer to `read`; every failure comes out as a SkulkError or the signal's reason. */
  send<T>(call: Call, read: (response: Response, watchdog: Watchdog) => Promise<T>): Promise<T>;
  /** The same for an answer that is handed out in pieces. */
  stream<T>(call: Call, read: (response: Response, watchdog: Watchdog) => AsyncGenerator<T>): AsyncGenerator<T>;
  /** Tries whether the store accepts connections; see `Transport`. */
  readonly probe: Transport['probe'];
  /** Ends its own connections. */
  close(): void;
}

/** Settings of an exchange. */
export interface ExchangeOptions {
  readonly url: string;
  readonly token?: string | undefined;
  readonly signal: AbortSignal;
  readonly stallTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly connections: number;
  readonly userAgent: string;
  /** How the store's name becomes an address; the system's own way when absent. */
  readonly lookup?: LookupFunction | undefined;
  /** Connections that somebody else keeps and closes, instead of own ones. */
  readonly transport?: Transport | undefined;
  /** Why no token may go there; then nothing but `GET /health` is asked. */
  readonly withheld?: SkulkError | undefined;
}

const maxErrorBytes = 64 * 1024;

/** Opens no connection yet. */
export function createExchange({
  url: given,
  token,
  signal,
  stallTimeoutMs,
  connectTimeoutMs,
  connections,
  userAgent,
  lookup,
  transport,
  withheld,
}: ExchangeOptions): Exchange {
  const url = given.replace(/\/+$/, '');
  const { fetch, probe, close } = transport ?? createTransport({ url, connectTimeoutMs, connections, lookup });
  const bearer = token === undefined || withheld !== undefined ? {} : { Authorization: `Bearer ${token}` };
  const own = { 'User-Agent': userAgent, 'Accept-Encoding': 'identity', ...bearer };

  const open = async ({ path, method = 'GET', headers, json, bytes, accept = [200] }: Call, watchdog: Watchdog): Promise<Response> => {
    // How a store is may be asked by everybody.
    if (withheld !== undefined && !(method === 'GET' && path === '/health')) throw withheld;
    const body =
      bytes !== undefined
        ? { body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
        : json === undefined
          ? {}
          : { body: JSON.stringify(json) };
    const init: RequestInit = {
      method,
      headers: {
        ...own,
        ...(json !== undefined && { 'Content-Type': 'application/json' }),
        ...(bytes !== undefined && { 'Content-Type': 'application/octet-stream' }),
        ...headers,
      },
      ...body,
      // node-fetch's own type of a signal knows fewer events than Node's.
      signal: watchdog.signal as NonNullable<RequestInit['signal']>,
    };
    const attempt = (): Promise<Response> => fetch(url + path, init);
    watchdog.expect();
    // A kept connection may have been closed by the other end just as it was used again; that says nothing about the store.
    const response = await attempt().catch((error) => {
      if (method !== 'GET' || watchdog.signal.aborted || !['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '')) throw error;
      return attempt();
    });
    watchdog.rest();
    if (accept.includes(response.status)) return response;
    const refused = await readJson(response, { url, limit: maxErrorBytes, watchdog }).catch((error) => {
      if (watchdog.signal.aborted) throw error;
      return undefined;
    });
    const { status, headers: got } = response;
    throw mapRefusal({ status, body: refused, location: got.get('location'), retryAfter: got.get('retry-after') }, url);
  };

  const watch = (call: Call): Watchdog => {
    const signals = call.signal === undefined ? [signal] : [signal, call.signal];
    return createWatchdog({ url, silenceMs: call.silenceMs ?? stallTimeoutMs, signals });
  };
  const explain = (error: unknown, watchdog: Watchdog): unknown =>
    watchdog.signal.aborted ? watchdog.signal.reason : mapNetworkError(error, url);

  return {
    url,
    probe,
    close: transport === undefined ? close : () => undefined,
    send: async (call, read) => {
      using watchdog = watch(call);
      let isDone = false;
      try {
        watchdog.signal.throwIfAborted();
        const result = await read(await open(call, watchdog), watchdog);
        isDone = true;
        return result;
      } catch (error) {
        throw explain(error, watchdog);
      } finally {
        // What is left unread of an answer must not hold its connection.
        if (!isDone) watchdog.stop();
      }
    },
    stream: async function* (call, read) {
      using watchdog = watch(call);
      let isDone = false;
      try {
        watchdog.signal.throwIfAborted();
        yield* read(await open(call, watchdog), watchdog);
        isDone = true;
      } catch (error) {
        throw explain(error, watchdog);
      } finally {
        if (!isDone) watchdog.stop();
      }
    },
  };
}
