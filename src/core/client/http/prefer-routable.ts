import type { LookupAddress } from 'node:dns';
import { isIPv4, type LookupFunction } from 'node:net';
import { isLinkLocal } from '../../kernel/machine/link-local.ts';
import type { StoreHealth } from '../../protocol/health.ts';

/** What is asked while a connection opens. */
export interface PreferRoutableOptions {
  /** Every address of a name. */
  readonly resolve: (hostname: string) => Promise<readonly LookupAddress[]>;
  /** What the store says that answers at an address. */
  readonly healthAt: (address: string) => Promise<Pick<StoreHealth, 'instance' | 'advertised'>>;
  readonly now?: () => number;
}

/** How long it is remembered where the store is, or that it does not say, in milliseconds. */
const rememberedMs = 60_000;

/**
 * Resolves the store's name for a socket. A name such as `kite3.local` may lead to a link-local address, which is slow on some
 * networks and changes; then the address that the store itself advertises is tried first, if the very same store answers there.
 */
export function preferRoutable({ resolve, healthAt, now = Date.now }: PreferRoutableOptions): LookupFunction {
  let known: { readonly until: number; readonly address: Promise<string | undefined> } | undefined;
  const learn = async (address: string): Promise<string | undefined> => {
    const { instance, advertised } = await healthAt(address);
    const host = advertised === null ? '' : new URL(advertised.url).hostname;
    if (instance === null || !isIPv4(host) || isLinkLocal(host)) return undefined;
    // The number may be somebody else's on this machine's own network.
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

/** What gives the addresses of a name, as sockets ask it. */
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
