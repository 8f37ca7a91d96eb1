import type { StoreHealth } from '../health.ts';

/**
 * The address of the store host for other machines, which its own reports do not have: the one at which it was asked, else the one that
 * its server announces. An address is better than a name. Pure.
 * @param location a URL, or the path of a store on this disk
 * @returns null if only a loopback address is known
 */
export function storeAddress(location: string, health: Pick<StoreHealth, 'advertised'> | null): string | null {
  const hosts = [location, health?.advertised?.url ?? ''].map(hostOf).filter((host) => host !== undefined);
  return hosts.find((host) => address.test(host)) ?? hosts[0] ?? null;
}

const address = /^[\d.]+$|:/;
const loopback = /^(?:127\..*|localhost|::1|0\.0\.0\.0)$/;

/** The host of a URL; undefined for one that only the same machine can use. */
function hostOf(location: string): string | undefined {
  const host = URL.canParse(location) ? new URL(location).hostname.replace(/^\[|\]$/g, '') : '';
  return host === '' || loopback.test(host) ? undefined : host;
}
