import { createEventParser } from '../../src/core/kernel/flow/event-parser.ts';
import { type ApiError, asApiError, unreachable } from './api-error.ts';
import type { RouteCall } from './call.ts';
import type { Client } from './client.ts';
import { readChunks } from './read-chunks.ts';

/** The current data. */
export interface LiveState<Topics> {
  /** `live`: the data is current; `lost`: it is old. */
  readonly status: 'connecting' | 'live' | 'lost';
  /** The reason of `lost`; null while live. */
  readonly problem: ApiError | null;
  /** The number of starts of the stream; other requests are repeated after a new start. */
  readonly round: number;
  readonly topics: Partial<Topics>;
  /** Of `lost`: when the last data came, in milliseconds since 1970; 0 if none ever came. */
  readonly heardAt: number;
}

/** A stream of events that reconnects. */
export interface Live<Topics> {
  subscribe(listener: () => void): () => void;
  state(): LiveState<Topics>;
  /** Ends the current wait and tries again at once. */
  retry(): void;
  stop(): void;
}

/** The server sends a heartbeat every ten seconds. */
const silenceMs = 25_000;
const maxDelayMs = 5_000;
/** A hidden page closes its connections, because a browser has only six for a server. */
const hiddenMs = 5_000;

/** Follows a stream of whole topics until it is stopped; a lost connection is opened again, and then starts with all data. */
export function follow<Topics extends object>(client: Client, call: RouteCall): Live<Topics> {
  const listeners = new Set<() => void>();
  const ending = new AbortController();
  let state: LiveState<Topics> = { status: 'connecting', problem: null, round: 0, topics: {}, heardAt: 0 };
  let heardAt = 0;
  let wake = (): void => {};
  let connection = new AbortController();
  const change = (changes: Partial<LiveState<Topics>>): void => {
    state = { ...state, ...changes };
    for (const tell of listeners) tell();
  };

  const connectOnce = async (): Promise<void> => {
    connection = new AbortController();
    const signal = AbortSignal.any([ending.signal, connection.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const expectMore = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => connection.abort(unreachable()), silenceMs);
    };
    try {
      expectMore();
      const response = await client.open(call, signal);
      const parse = createEventParser();
      change({ status: 'live', problem: null, round: state.round + 1 });
      for await (const text of readChunks(response)) {
        expectMore();
        // Not a change of the state: it is read when the stream has ended.
        heardAt = Date.now();
        const news = parse(text).map(({ name, data }) => [name, JSON.parse(data) as unknown]);
        if (news.length > 0) change({ topics: { ...state.topics, ...Object.fromEntries(news) } });
      }
      throw unreachable();
    } finally {
      clearTimeout(timer);
    }
  };

  const run = async (): Promise<void> => {
    for (let attempt = 0; !ending.signal.aborted; attempt += 1) {
      const before = state.round;
      try {
        await connectOnce();
      } catch (error) {
        if (ending.signal.aborted) return;
        if (error !== paused) change({ status: 'lost', problem: asApiError(error), heardAt });
        if (state.round !== before) attempt = 0;
        const delay = Math.min(maxDelayMs, 250 * 2 ** attempt);
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (error !== paused) setTimeout(resolve, delay);
        });
      }
    }
  };

  let hiding: ReturnType<typeof setTimeout> | undefined;
  const onVisibility = (): void => {
    clearTimeout(hiding);
    if (document.visibilityState === 'hidden') hiding = setTimeout(() => connection.abort(paused), hiddenMs);
    else wake();
  };
  const retry = (): void => wake();
  document.addEventListener('visibilitychange', onVisibility);
  addEventListener('online', retry);
  void run();
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    state: () => state,
    retry,
    stop: () => {
      ending.abort();
      wake();
      clearTimeout(hiding);
      document.removeEventListener('visibilitychange', onVisibility);
      removeEventListener('online', retry);
    },
  };
}

const paused = new Error('nobody looks');
