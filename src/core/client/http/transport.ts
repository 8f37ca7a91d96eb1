import { Agent as HttpAgent } from 'node:http';
import type { Socket } from 'node:net';
import fetch, { type RequestInit, type Response } from 'node-fetch';
import { systemCode } from '../../kernel/errors.ts';
import { isLinkLocal } from '../../kernel/machine/link-local.ts';
import type { StoreLookup } from './prefer-routable.ts';
import { connectWithin, limitConnecting, type ProbeOutcome } from './probe-connection.ts';
import { rememberRefusals } from './token-guard.ts';

export type { Response } from 'node-fetch';

/** Sends one request to the store; see `createTransport`. */
export type StoreFetch = (url: string, init: RequestInit) => Promise<Response>;

/** The connections to one store. They are kept after a request, and do not keep the process alive. */
export interface Transport {
  readonly fetch: StoreFetch;
  /**
   * Tests whether the store accepts connections; see `probeConnection`. Never throws. A recent answer counts as success. The tested
   * connection is used for the next request.
   */
  readonly probe: (timeoutMs: number) => Promise<ProbeOutcome>;
  /** How sockets resolve the store's name; undefined for the system's own lookup. */
  readonly lookup: StoreLookup | undefined;
  /** Closes all connections. */
  readonly close: () => void;
}

/** The options of a transport. */
export interface TransportOptions {
  /** The URL of the store. */
  readonly url: string;
  /** The time limit for opening a connection, and before it for the lookup of the name. */
  readonly connectTimeoutMs: number;
  /** The maximum number of connections. */
  readonly connections: number;
  readonly lookup?: StoreLookup | undefined;
}

/** How long after an answer a store counts as reachable without a test, in milliseconds. */
const freshMs = 5_000;

/** Follows no redirects, requests no compression and uses no proxy, because the store is on the LAN. Opens no connection yet. */
export function createTransport({ url: base, connectTimeoutMs, connections, lookup }: TransportOptions): Transport {
  const remembered = lookup === undefined ? undefined : rememberRefusals(lookup);
  const ready = createReadySocket();
  const options = {
    keepAlive: true,
    maxSockets: connections,
    maxFreeSockets: connections,
    scheduling: 'lifo',
    ...(remembered !== undefined && { lookup: remembered.lookup }),
  } as const;
  let agent: HttpAgent | undefined;
  let answeredAt = Number.NEGATIVE_INFINITY;
  // One store has one URL, so there is one agent. TLS is only loaded for a store with https.
  const agentFor = (protocol: string): HttpAgent => {
    const AgentOf = protocol === 'https:' ? process.getBuiltinModule('node:https').Agent : HttpAgent;
    agent ??= boundConnecting(new AgentOf(options), connectTimeoutMs, ready.take);
    return agent;
  };
  return {
    lookup,
    fetch: async (url, init) => {
      try {
        // A redirect is never followed, because it could lead a token to another host.
        const response = await fetch(url, { compress: false, agent: ({ protocol }) => agentFor(protocol), ...init, redirect: 'manual' });
        answeredAt = performance.now();
        return response;
      } catch (error) {
        answeredAt = Number.NEGATIVE_INFINITY;
        const refusal = remembered?.refusal();
        throw refusal !== undefined && systemCode(error) === refusal.code ? refusal : error;
      }
    },
    probe: async (timeoutMs) => {
      if (performance.now() - answeredAt < freshMs) return 'connected';
      const outcome = await connectWithin(base, timeoutMs, lookup?.quick ?? lookup);
      if (outcome === 'timeout' || outcome instanceof Error) return outcome;
      // With TLS, a connection is more than a socket; and `preferRoutable` would not choose a link-local address.
      if (!base.startsWith('http:') || (lookup !== undefined && isLinkLocal(outcome.remoteAddress ?? ''))) outcome.destroy();
      else {
        // An older connection may be dead without notice.
        for (const idle of Object.values(agent?.freeSockets ?? {})) for (const socket of idle ?? []) socket.destroy();
        ready.keep(outcome);
      }
      return 'connected';
    },
    close: () => {
      ready.take()?.destroy();
      agent?.destroy();
    },
  };
}

/**
 * Limits the time to resolve a name, and then the time to open a connection; the operating system itself would wait for minutes.
 * @param ready returns an open socket
 */
export function boundConnecting(agent: HttpAgent, timeoutMs: number, ready: () => Socket | undefined = () => undefined): HttpAgent {
  const original = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const open = ready();
    if (open !== undefined) return open;
    const socket = original(options, callback) as Socket;
    const giveUp = (late: Error | undefined): void =>
      void socket.destroy(late ?? Object.assign(new Error(`no connection within ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' }));
    const stop = limitConnecting(socket, 'host' in options ? (options.host ?? 'localhost') : '', timeoutMs, giveUp);
    socket.once('connect', stop);
    socket.once('close', stop);
    return socket;
  };
  return agent;
}

/** Holds one open socket until it is taken. */
function createReadySocket(): { readonly keep: (socket: Socket) => void; readonly take: () => Socket | undefined } {
  let held: Socket | undefined;
  const ignore = (): void => undefined;
  const take = (): Socket | undefined => {
    const socket = held;
    held = undefined;
    socket?.off('error', ignore).ref();
    // A closed socket is useless, and one with unrequested data is too.
    if (socket === undefined || (!socket.destroyed && socket.writable && socket.readable && socket.readableLength === 0)) return socket;
    socket.destroy();
    return undefined;
  };
  return {
    take,
    keep: (socket) => {
      take()?.destroy();
      held = socket.on('error', ignore).unref();
    },
  };
}
