import { Agent as HttpAgent } from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import fetch, { type RequestInit, type Response } from 'node-fetch';
import { systemCode } from '../../kernel/errors.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';
import { rememberRefusals } from './token-guard.ts';

export type { Response } from 'node-fetch';

/** Sends one request to the store; see `createFetch`. */
export type StoreFetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * A fetch that keeps its connections, follows no redirect, asks for no compression and uses no proxy: the store is on the LAN.
 * @param connectTimeoutMs how long a connection may take to open
 * @param connections how many connections there may be at one time
 */
export function createFetch({
  connectTimeoutMs,
  connections,
  lookup,
}: {
  connectTimeoutMs: number;
  connections: number;
  lookup?: LookupFunction | undefined;
}): {
  fetch: StoreFetch;
  close: () => void;
} {
  const remembered = lookup === undefined ? undefined : rememberRefusals(lookup);
  const options = {
    keepAlive: true,
    maxSockets: connections,
    maxFreeSockets: connections,
    scheduling: 'lifo',
    ...(remembered !== undefined && { lookup: remembered.lookup }),
  } as const;
  let agent: HttpAgent | undefined;
  // One store is one URL, so there is one agent; TLS is loaded only for a store that is asked over TLS.
  const agentFor = (protocol: string): HttpAgent => {
    const AgentOf = protocol === 'https:' ? process.getBuiltinModule('node:https').Agent : HttpAgent;
    agent ??= boundConnecting(new AgentOf(options), connectTimeoutMs);
    return agent;
  };
  return {
    fetch: async (url, init) => {
      try {
        // A redirect is never followed: it could lead a token to another host.
        return await fetch(url, { compress: false, agent: ({ protocol }) => agentFor(protocol), ...init, redirect: 'manual' });
      } catch (error) {
        const refusal = remembered?.refusal();
        throw refusal !== undefined && systemCode(error) === refusal.code ? refusal : error;
      }
    },
    close: () => agent?.destroy(),
  };
}

/** Gives up on a connection that does not open; the operating system itself would wait for minutes. */
export function boundConnecting(agent: HttpAgent, timeoutMs: number): HttpAgent {
  const original = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = original(options, callback) as Socket;
    const giveUp = (): void =>
      void socket.destroy(Object.assign(new Error(`no connection within ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' }));
    const stop = startDeadline(giveUp, timeoutMs);
    socket.once('connect', stop);
    socket.once('close', stop);
    return socket;
  };
  return agent;
}
