import { isIP } from 'node:net';
import { normalizeHostname, sameHostname } from '../../kernel/machine/hostname.ts';
import { isOwnAddress } from '../../kernel/machine/own-address.ts';

/** The identity of this machine. */
export interface Identity {
  readonly hostname: string;
  readonly nodeId: string | undefined;
  /** Names that resolve to it. */
  readonly aliases?: readonly string[];
}

/**
 * Whether a name in the configuration is this machine: its hostname, its node id (exactly), one of its addresses, or a name that was
 * resolved to one.
 */
export function isThisMachine(name: string, { hostname, nodeId, aliases = [] }: Identity): boolean {
  const plain = normalizeHostname(name);
  if (name === nodeId || sameHostname(name, hostname) || plain === 'localhost' || aliases.includes(plain)) return true;
  return isIP(name) !== 0 && isOwnAddress(name);
}
