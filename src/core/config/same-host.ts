import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** A hostname for comparison: lower case, without a trailing dot and without `.local`. */
export const normalizeHostname = (name: string): string =>
  name
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/\.local$/, '');

/** Whether two hostnames mean one machine: without case, without a trailing dot, `kite3` is `kite3.local`. */
export const sameHostname = (a: string, b: string): boolean => normalizeHostname(a) === normalizeHostname(b);

/** Which machine this is. */
export interface Identity {
  readonly hostname: string;
  readonly nodeId: string | undefined;
}

/** Whether a name from the configuration is this machine: its hostname, its node id (exactly), or one of its addresses. */
export function isThisMachine(name: string, { hostname, nodeId }: Identity): boolean {
  if (name === nodeId || sameHostname(name, hostname) || normalizeHostname(name) === 'localhost') return true;
  if (isIP(name) === 0) return false;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === name));
}
