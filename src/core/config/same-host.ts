import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { normalizeHostname, sameHostname } from '../kernel/hostname.ts';

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

/** Whether an address as a socket tells it is one of this machine, loopback included. */
export function isOwnAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (/^127\./.test(plain)) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some((own) => own.address === plain));
}
