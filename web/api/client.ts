import { ApiError, asApiError, errorOf } from './api-error.ts';
import { callOf, type RouteCall } from './call.ts';
import { readJsonLines } from './json-lines.ts';

/** Sends requests to the server of this page. Failures are ApiErrors; an aborted request rejects with the signal's reason. */
export interface Client {
  get<T>(call: RouteCall, signal?: AbortSignal): Promise<T>;
  /** A request that changes something. */
  send<T>(call: RouteCall, body?: object, signal?: AbortSignal): Promise<T>;
  /** Long work whose answer is JSON lines. */
  work<T>(call: RouteCall, body: object, options: { signal: AbortSignal; onProgress: (done: number, total: number) => void }): Promise<T>;
  /** The first `maxBytes` of a file as text, by its own URL. */
  text(path: string, options: { maxBytes: number; signal: AbortSignal }): Promise<string>;
  /** The answer itself, for a stream. */
  open(call: RouteCall, signal: AbortSignal): Promise<Response>;
}

/** Notifications of a client beside its answers. */
export interface ClientEvents {
  /** The server does not know the token, or needs one. */
  readonly onUnknown: () => void;
  /** The caller has fewer rights than expected, here or with the store. */
  readonly onRefused: () => void;
}

/** @param token the token for the server; undefined if it needs none */
export function createClient(token: string | undefined, { onUnknown, onRefused }: Partial<ClientEvents> = {}): Client {
  const ask = async ({ method, path }: RouteCall, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    try {
      const response = await fetch(path, { ...init, method, headers, cache: 'no-store', credentials: 'omit', redirect: 'error' });
      if (response.ok) return response;
      // A request that a node forwards may be refused by its store, regardless of this page's token.
      const isOfStore = path.startsWith('/store/');
      if (response.status === 401 && !isOfStore) onUnknown?.();
      // The listener then requests `/session` itself.
      else if ((response.status === 401 || response.status === 403) && path !== '/session') onRefused?.();
      throw await errorOf(response);
    } catch (error) {
      if (init.signal?.aborted === true) throw init.signal.reason;
      throw asApiError(error);
    }
  };
  const withBody = (body: object | undefined): RequestInit =>
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  return {
    get: async (call, signal) => (await ask(call, signal === undefined ? {} : { signal })).json(),
    send: async (call, body, signal) => (await ask(call, { ...withBody(body), ...(signal !== undefined && { signal }) })).json(),
    work: async (call, body, { signal, onProgress }) => {
      const response = await ask(call, { ...withBody(body), signal });
      return readJsonLines(response, onProgress);
    },
    text: async (path, { maxBytes, signal }) => {
      const response = await ask({ method: 'GET', path }, { signal, headers: { Range: `bytes=0-${maxBytes - 1}` } });
      // A server may ignore a range, and a file may have any size.
      return readStart(response, maxBytes);
    },
    open: (call, signal) => ask(call, { headers: { Accept: 'text/event-stream' }, signal }),
  };
}

async function readStart({ body }: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let left = maxBytes;
  const reader = body?.getReader();
  while (reader !== undefined && left > 0) {
    const { done, value } = await reader.read();
    if (done) break;
    const taken = value.subarray(0, left);
    left -= taken.length;
    text += decoder.decode(taken, { stream: true });
  }
  await reader?.cancel();
  return text;
}

/** Whether a token is valid for this server. Throws an ApiError if the server cannot be reached. */
export async function isTokenGood(token: string): Promise<boolean> {
  try {
    await createClient(token).get(callOf('GET /node/identity', {}));
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}
