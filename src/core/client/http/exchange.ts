import type { LookupFunction } from 'node:net';
import type { RequestInit } from 'node-fetch';
import { type SkulkError, systemCode } from '../../kernel/errors.ts';
import { mapNetworkError, mapRefusal } from './map-failure.ts';
import { readJson } from './read-body.ts';
import { lacksToken, withTokenHint } from './token-hint.ts';
import { createTransport, type Response, type Transport } from './transport.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

/** One request to the store. */
export interface Call {
  /** The path below the store's URL, escaped. */
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** A body that is not JSON. */
  readonly bytes?: Uint8Array;
  /** Statuses that are not errors; by default 200. */
  readonly accept?: readonly number[];
  readonly signal?: AbortSignal | undefined;
  /** How long the store may be silent; by default the client's own limit. */
  readonly silenceMs?: number | undefined;
}

/** Sends requests to one store and reads their answers. */
export interface Exchange {
  readonly url: string;
  /** Sends a call and passes the answer to `read`. Every failure becomes a SkulkError or the signal's reason. */
  send<T>(call: Call, read: (response: Response, watchdog: Watchdog) => Promise<T>): Promise<T>;
  /** The same for an answer that is read in pieces. */
  stream<T>(call: Call, read: (response: Response, watchdog: Watchdog) => AsyncGenerator<T>): AsyncGenerator<T>;
  /** Tests whether the store accepts connections; see `Transport`. */
  readonly probe: Transport['probe'];
  /** Closes its own connections. */
  close(): void;
}

/** The options of an exchange. */
export interface ExchangeOptions {
  readonly url: string;
  readonly token?: string | undefined;
  readonly signal: AbortSignal;
  readonly stallTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly connections: number;
  readonly userAgent: string;
  /** Resolves the store's name; by default the system's own lookup. */
  readonly lookup?: LookupFunction | undefined;
  /** Connections that the caller owns and closes, instead of own ones. */
  readonly transport?: Transport | undefined;
  /** Why no token may be sent there; then only `GET /health` is allowed. */
  readonly withheld?: SkulkError | undefined;
  /** What a user must set beside a token so that it is sent there; undefined if a token is enough. */
  readonly tokenNeeds?: (() => Promise<string | undefined>) | undefined;
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
  tokenNeeds,
}: ExchangeOptions): Exchange {
  const url = given.replace(/\/+$/, '');
  const { fetch, probe, close } = transport ?? createTransport({ url, connectTimeoutMs, connections, lookup });
  const bearer = token === undefined || withheld !== undefined ? {} : { Authorization: `Bearer ${token}` };
  const own = { 'User-Agent': userAgent, 'Accept-Encoding': 'identity', ...bearer };

  const open = async ({ path, method = 'GET', headers, json, bytes, accept = [200] }: Call, watchdog: Watchdog): Promise<Response> => {
    // The health request needs no token.
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
      // node-fetch's own type of a signal has fewer events than Node's.
      signal: watchdog.signal as NonNullable<RequestInit['signal']>,
    };
    const attempt = (): Promise<Response> => fetch(url + path, init);
    watchdog.expect();
    // The server may close an idle connection just when it is reused, which says nothing about the store. So the request is sent again.
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
    const refusal = mapRefusal({ status, body: refused, location: got.get('location'), retryAfter: got.get('retry-after') }, url);
    throw token === undefined && lacksToken(refusal) ? withTokenHint(refusal, await tokenNeeds?.()) : refusal;
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
        // The unread rest of an answer must not keep its connection.
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
