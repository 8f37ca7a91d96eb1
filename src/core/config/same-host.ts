import { isIP } from 'node:net';
import { normalizeHostname, sameHostname } from '../kernel/hostname.ts';
import { isOwnAddress } from '../kernel/own-address.ts';

/** Which machine this is. */
export interface Identity {
  readonly hostname: string;
  readonly nodeId: string | undefined;
}

/** Whether a name from the configuration is this machine: its hostname, its node id (exactly), or one of its addresses. */
export function isThisMachine(name: string, { hostname, nodeId }: Identity): boolean {
  if (name === nodeId || sameHostname(name, hostname) || normalizeHostname(name) === 'localhost') return true;
  return isIP(name) !== 0 && isOwnAddress(name);
}
