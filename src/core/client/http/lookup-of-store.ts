import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { createExchange } from './exchange.ts';
import { lookupBy, preferRoutable } from './prefer-routable.ts';
import { readHealth } from './read-health.ts';
import type { TokenGuard } from './token-guard.ts';

/** Finds the IPv4 address of a store whose name the name service does not know. */
export type FindByName = (name: string) => Promise<string | undefined>;

/** Short limits, because the first connection waits for these requests. */
const patience = { stallTimeoutMs: 1_000, connectTimeoutMs: 500, connections: 1 };

/**
 * How sockets resolve the store's name. Undefined if the system's own lookup is used: an address needs none, and a certificate belongs to
 * the name and not to an address that was learned.
 */
export function lookupOfStore({
  url,
  signal,
  userAgent,
  findByName,
  carriesToken,
  guard = {},
}: {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly userAgent: string;
  readonly findByName?: FindByName | undefined;
  /** Whether a token is sent there. */
  readonly carriesToken: boolean;
  readonly guard?: TokenGuard | undefined;
}): LookupFunction | undefined {
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== 'http:' || hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  // Any server could claim an address in its answer and claim to be the same store. So a token is only sent to the address of the name
  // itself.
  if (carriesToken) return lookupBy(findByName === undefined ? resolve : orElse(guarded(findByName, guard)));
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

/** How long a result is cached, also if nothing was found, in milliseconds. */
const rememberedMs = 60_000;

const resolve = (name: string): Promise<readonly LookupAddress[]> => lookup(name, { all: true });

/** The same, but if only mDNS knows the name, it fails with the reason why no token is sent there. */
const guarded =
  (find: FindByName, { whenOnlyMdns }: TokenGuard): FindByName =>
  async (name) => {
    const address = await find(name);
    if (address !== undefined && whenOnlyMdns !== undefined) throw whenOnlyMdns(name, address);
    return address;
  };

/** A failure of mDNS is ignored; a refusal to send a token is not. */
function passRefusal(error: unknown): undefined {
  if (error instanceof SkulkError && error.code === 'TOKEN_WITHHELD') throw error;
  return undefined;
}

function orElse(find: FindByName): typeof resolve {
  let found: { readonly until: number; readonly address: Promise<string | undefined> } | undefined;
  return async (name) => {
    try {
      return await resolve(name);
    } catch (error) {
      if (!isSystemError(error, 'ENOTFOUND', 'EAI_AGAIN')) throw error;
      if (found === undefined || found.until < performance.now())
        found = { until: performance.now() + rememberedMs, address: find(name).catch(passRefusal) };
      found.address.catch(() => undefined);
      const address = await found.address;
      if (address === undefined) throw error;
      return [{ address, family: 4 }];
    }
  };
}
