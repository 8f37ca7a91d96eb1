import type { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import fetch, { type RequestInit } from 'node-fetch';
import { boundConnecting } from './transport.ts';

/** Sends one GET to the internet and returns a standard Response. */
export type OutboundFetch = (
  url: URL,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<Response>;

/**
 * A fetch for the internet: keeps its connections, follows no redirects, requests no compression, and uses the proxy in HTTP_PROXY,
 * HTTPS_PROXY and NO_PROXY, unless `noProxy` is set for one of our own machines.
 */
export function createOutboundFetch({
  connectTimeoutMs,
  connections,
  noProxy = false,
}: {
  connectTimeoutMs: number;
  connections: number;
  noProxy?: boolean;
}): {
  fetch: OutboundFetch;
  close: () => void;
} {
  const options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections, scheduling: 'lifo' } as const;
  const agents = new Map<string, Agent>();
  const makeAgent = async (isTls: boolean, proxy: string): Promise<Agent> => {
    if (proxy === '') {
      const { Agent: AgentOf } = isTls ? await import('node:https') : await import('node:http');
      return boundConnecting(new AgentOf(options), connectTimeoutMs);
    }
    if (isTls) return new (await import('https-proxy-agent')).HttpsProxyAgent(proxy, { ...options, timeout: connectTimeoutMs });
    return new (await import('http-proxy-agent')).HttpProxyAgent(proxy, { ...options, timeout: connectTimeoutMs });
  };
  const agentFor = async (url: URL): Promise<Agent> => {
    const proxy = noProxy ? '' : (await import('proxy-from-env')).getProxyForUrl(url.href);
    const key = `${url.protocol} ${proxy}`;
    const agent = agents.get(key) ?? (await makeAgent(url.protocol === 'https:', proxy));
    // Two first requests at once may both have created one.
    const kept = agents.get(key) ?? agent;
    agents.set(key, kept);
    return kept;
  };
  return {
    fetch: async (url, { headers, signal }) => {
      const response = await fetch(url.href, {
        headers: { 'Accept-Encoding': 'identity', ...headers },
        redirect: 'manual',
        compress: false,
        agent: await agentFor(url),
        // node-fetch's own type of a signal has fewer events than Node's.
        signal: signal as NonNullable<RequestInit['signal']>,
      });
      const { status, body } = response;
      const isEmpty = status === 204 || status === 304 || body === null;
      return new Response(isEmpty ? null : toWebStream(body as Readable), {
        status,
        headers: Object.fromEntries(response.headers),
      });
    },
    close: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** Node's own `Readable.toWeb` throws an uncaught error if the stream was cancelled just before its end. */
function toWebStream(body: Readable): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let isCancelled = false;
  body.on('error', () => undefined);
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await chunks.next();
      if (isCancelled) return;
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => {
      isCancelled = true;
      body.destroy();
    },
  });
}
