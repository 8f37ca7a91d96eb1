import { isFullName, normalizeHostname } from '../../kernel/machine/hostname.ts';
import { isOwnAddress } from '../../kernel/machine/own-address.ts';
import { resolveName } from '../../kernel/machine/resolve-name.ts';
import { type Identity, isThisMachine } from './same-host.ts';

/**
 * The name of the store host, if it is another full name of this machine (`nas.local`, `nas.fritz.box`). There is no lookup if the names
 * alone decide.
 */
export async function findAliases(storeHost: string | undefined, identity: Identity): Promise<readonly string[]> {
  if (storeHost === undefined || isThisMachine(storeHost, identity)) return [];
  if (!isFullName(storeHost) || !isFullName(identity.hostname)) return [];
  const addresses = await resolveName(normalizeHostname(storeHost));
  return addresses.some(isOwnAddress) ? [normalizeHostname(storeHost)] : [];
}
