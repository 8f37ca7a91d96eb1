import type { LockHolder } from '../kernel/process/lock-claims.ts';
import { describePlace, namespaceOf, ownSite } from '../kernel/process/process-identity.ts';

const loopback = /^\w+:\/\/(?:127\.|localhost\b|\[::1\])/;

/**
 * The URL of a server that holds a store, as seen from here. Two containers may each have their own 127.0.0.1, so a loopback address
 * elsewhere only counts if it is in this network.
 * @returns undefined if it has no address that is valid here
 */
export function urlFromHere(holder: LockHolder): string | undefined {
  const { url, outside_url, network, startTime } = holder;
  if (url === undefined || describePlace(holder) === undefined) return url;
  const { boot } = ownSite();
  const isSameNetwork = boot !== '' && network !== undefined && startTime.startsWith(`${boot}:`) && network === namespaceOf('net');
  return [url, outside_url].find((one) => one !== undefined && (isSameNetwork || !loopback.test(one)));
}
