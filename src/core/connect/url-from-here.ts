import type { LockHolder } from '../kernel/process/lock.ts';
import { describePlace, namespaceOf, ownSite } from '../kernel/process/process-identity.ts';

const loopback = /^\w+:\/\/(?:127\.|localhost\b|\[::1\])/;

/**
 * Where a server that holds a store answers, seen from here. Two containers may each have a 127.0.0.1 of their own, so of one
 * elsewhere a loopback address counts only when it shares this network.
 * @returns undefined when it has no address that means something here
 */
export function urlFromHere(holder: LockHolder): string | undefined {
  const { url, outside_url, network, startTime } = holder;
  if (url === undefined || describePlace(holder) === undefined) return url;
  const { boot } = ownSite();
  const isSameNetwork = boot !== '' && network !== undefined && startTime.startsWith(`${boot}:`) && network === namespaceOf('net');
  return [url, outside_url].find((one) => one !== undefined && (isSameNetwork || !loopback.test(one)));
}
