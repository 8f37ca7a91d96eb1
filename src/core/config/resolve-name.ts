import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isFullName, normalizeHostname } from '../kernel/hostname.ts';
import { isOwnAddress } from '../kernel/own-address.ts';
import { type Identity, isThisMachine } from './same-host.ts';

/** How long a command waits for the name service before it goes by the names alone, in milliseconds. */
const patienceMs = 1_000;

/** The addresses to which the system resolves a name; none when it does not know it, or does not say in time. */
export async function resolveName(name: string, timeoutMs = patienceMs): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name];
  const late = new Promise<readonly string[]>((resolve) => void setTimeout(resolve, timeoutMs, []).unref());
  const found = lookup(name, { all: true }).then(
    (addresses) => addresses.map(({ address }) => address),
    () => [],
  );
  return await Promise.race([found, late]);
}

/**
 * The name of the store host, when it is another full name of this machine (`nas.local`, `nas.fritz.box`). Nobody is asked when the
 * names alone decide.
 */
export async function findAliases(storeHost: string | undefined, identity: Identity): Promise<readonly string[]> {
  if (storeHost === undefined || isThisMachine(storeHost, identity)) return [];
  if (!isFullName(storeHost) || !isFullName(identity.hostname)) return [];
  const addresses = await resolveName(normalizeHostname(storeHost));
  return addresses.some(isOwnAddress) ? [normalizeHostname(storeHost)] : [];
}
