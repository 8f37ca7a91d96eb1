import type { LookupAddress } from 'node:dns';
import { isIPv4, type LookupFunction } from 'node:net';
import { isLinkLocal } from '../../kernel/machine/link-local.ts';
import type { StoreHealth } from '../../protocol/health.ts';

/** The requests while a connection opens. */
export interface PreferRoutableOptions {
  /** Every address of a name. */
  readonly resolve: (hostname: string) => Promise<readonly LookupAddress[]>;
  /** The health of the store at an address. */
  readonly healthAt: (address: string) => Promise<Pick<StoreHealth, 'instance' | 'advertised'>>;
  readonly now?: () => number;
}

/** A lookup for sockets. `quick` is the same without requests to the store, for a test whether it can be reached. */
export type StoreLookup = LookupFunction & { readonly quick?: LookupFunction };

/** How long the store's address, or its absence, is cached, in milliseconds. */
const rememberedMs = 60_000;

/**
 * Resolves the store's name for a socket. A name such as `kite3.local` may have a link-local address, which is slow on some networks and
 * changes. Then the address that the store itself announces is tried first, if the same store answers there.
 */
export function preferRoutable({ resolve, healthAt, now = Date.now }: PreferRoutableOptions): LookupFunction {
  let known: { readonly until: number; readonly address: Promise<string | undefined> } | undefined;
  const learn = async (address: string): Promise<string | undefined> => {
    const { instance, advertised } = await healthAt(address);
    const host = advertised === null ? '' : new URL(advertised.url).hostname;
    if (instance === null || !isIPv4(host) || isLinkLocal(host)) return undefined;
    // On this machine's own network, the address may belong to another machine.
    const there = await healthAt(host);
    return there.instance === instance ? host : undefined;
  };
  const choose = async (hostname: string): Promise<readonly LookupAddress[]> => {
    const addresses = await resolve(hostname);
    const lasting = addresses.filter(({ address }) => !isLinkLocal(address));
    if (lasting.length > 0) return [...lasting, ...addresses.filter(({ address }) => isLinkLocal(address))];
    const [first] = addresses.toSorted((a, b) => a.family - b.family);
    if (first === undefined) return addresses;
    if (known === undefined || known.until < now()) {
      const address = learn(first.address).catch(() => undefined);
      known = { until: now() + rememberedMs, address };
    }
    const learned = await known.address;
    return learned === undefined ? addresses : [{ address: learned, family: 4 }, ...addresses];
  };
  return lookupBy(choose);
}

/** Wraps a function that returns the addresses of a name as a socket's lookup. */
export function lookupBy(choose: PreferRoutableOptions['resolve']): LookupFunction {
  return (hostname, options, callback) => {
    choose(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}
