import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import { isSystemError } from '../kernel/errors.ts';
import { createExchange } from './exchange.ts';
import { preferRoutable } from './prefer-routable.ts';
import { readHealth } from './read-health.ts';

/** Finds the IPv4 address of a store whose name the name service does not know. */
export type FindByName = (name: string) => Promise<string | undefined>;

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
  findByName,
}: {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly userAgent: string;
  readonly findByName?: FindByName | undefined;
}): LookupFunction | undefined {
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== 'http:' || hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  return preferRoutable({
    resolve: findByName === undefined ? resolve : orElse(findByName),
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

/** How long it is remembered what was found, or that nothing was, in milliseconds. */
const rememberedMs = 60_000;

const resolve = (name: string): Promise<readonly LookupAddress[]> => lookup(name, { all: true });

function orElse(find: FindByName): typeof resolve {
  let found: { readonly until: number; readonly address: Promise<string | undefined> } | undefined;
  return async (name) => {
    try {
      return await resolve(name);
    } catch (error) {
      if (!isSystemError(error, 'ENOTFOUND', 'EAI_AGAIN')) throw error;
      if (found === undefined || found.until < performance.now())
        found = { until: performance.now() + rememberedMs, address: find(name).catch(() => undefined) };
      const address = await found.address;
      if (address === undefined) throw error;
      return [{ address, family: 4 }];
    }
  };
}
