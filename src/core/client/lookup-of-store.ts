import { lookup } from 'node:dns/promises';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import { createExchange } from './exchange.ts';
import { preferRoutable } from './prefer-routable.ts';
import { readHealth } from './read-health.ts';

/** A first connection waits for what these give. */
const patience = { stallTimeoutMs: 1_000, connectTimeoutMs: 500, connections: 1 };

/**
 * How sockets find a store by its name. Undefined where the system's own way will do: an address needs no look-up, and a
 * certificate is for the name and not for an address that was learned.
 */
export function lookupOfStore({
  url,
  signal,
  userAgent,
}: {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly userAgent: string;
}): LookupFunction | undefined {
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== 'http:' || hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  return preferRoutable({
    resolve: (name) => lookup(name, { all: true }),
    healthAt: async (address) => {
      const at = isIPv6(address) ? `[${address}]` : address;
      const exchange = createExchange({ url: `http://${at}:${port || 80}`, signal, userAgent, ...patience });
      try {
        return await readHealth(exchange);
      } finally {
        exchange.close();
      }
    },
  });
}
