import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { advertisedAddress } from '../../connect/advertise.ts';
import type { Deps } from '../../connect/deps.ts';
import { findStoreByName } from '../../connect/discover.ts';
import { mayUseMdns } from '../../connect/may-use-mdns.ts';
import { openStore } from '../../connect/open-store.ts';
import { remoteUrl } from '../../connect/remote-url.ts';
import { loopback, rankAddresses } from '../../connect/routable-address.ts';
import { describeNetworkError } from '../../kernel/explain-network-error.ts';
import { isLinkLocal } from '../../kernel/machine/link-local.ts';
import { askNameService, waitedFor } from '../../kernel/machine/resolve-name.ts';
import { readLock } from '../../kernel/process/lock.ts';
import type { StoreHealth } from '../../protocol/health.ts';
import { storeLayout } from '../../store/layout.ts';
import { type Check, ok, problem, skipped, warning } from './check.ts';
import type { Role } from './find-role.ts';

/** The time limit for the name of a store, in milliseconds: for its lookup, and for the connection, which looks it up again. */
export const nameLimitMs = 3_000;

/** Checks that this machine can reach the address of the store's name. On the store host: the address at which others reach it. */
export async function checkAddress(deps: Deps, { url, isHost }: Pick<Role, 'url' | 'isHost'>): Promise<Check> {
  if (isHost && remoteUrl(deps.config) === undefined) return checkOwnAddress(deps);
  if (url === undefined) return skipped('address', 'there is no store to reach');
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) !== 0 ? [host] : await resolve(host);
  if (typeof addresses === 'string') {
    const announced = await findStoreByName(deps, host);
    if (announced !== undefined)
      return warning(
        'address',
        `${host} ${addresses}, but mDNS found the store of that name at ${announced}`,
        `check the name servers of this machine, or set store_http_host to ${announced}`,
      );
    return problem(
      'address',
      `${host} ${addresses}${mayUseMdns(deps) ? ', and mDNS finds no store of that name; it is probably off' : ''}`,
      'start the store host, or set store_http_host to its address; check the name servers of this machine',
      'STORE_UNREACHABLE',
    );
  }
  const found = isIP(host) !== 0 ? `the store is at ${host}` : `${host} is ${addresses.join(', ')}`;
  if (addresses.every(isLinkLocal))
    return warning(
      'address',
      `${found}, a link-local address, which can change and is slow on some networks; the address that the store advertises is tried first`,
      'set store_http_host to the LAN address of the store host',
    );
  if (isIP(host) === 0 && host !== 'localhost' && addresses.every((address) => /^(127\.|::1$)/.test(address)))
    return warning('address', `${found}, this machine`, 'correct /etc/hosts, or set store_http_host to the address of the store host');
  return ok('address', found);
}

/** Shows the address that the running server announces, or would announce, and why not another one. */
async function checkOwnAddress(deps: Deps): Promise<Check> {
  const { config } = deps;
  const holder = await readLock(storeLayout(config.settings.storePath.value).lock).catch(() => undefined);
  const running = holder?.url !== undefined;
  const advertised = running ? await addressFromServer(deps) : undefined;
  const { host, isRoutable, because } = advertisedAddress(deps, { listen: undefined });
  const others = rankAddresses(networkInterfaces(), undefined)
    .filter(({ address, reason }) => address !== host && reason !== loopback)
    .map(({ address, interface: name, reason }) => `${address} on ${name}: ${reason}`);
  const rest = others.length === 0 ? '' : ` (not chosen: ${others.join('; ')})`;
  if (advertised !== undefined) return ok('address', `the server announces ${advertised.url}: ${advertised.because}${rest}`);
  if (isRoutable) return ok('address', `other machines reach this one at ${host}: ${because}${rest}`);
  return warning('address', `${because}${rest}`, 'connect it to the network, or use `skulk serve --advertise IP`');
}

async function addressFromServer(deps: Deps): Promise<NonNullable<StoreHealth['advertised']> | undefined> {
  try {
    await using opened = await openStore(deps);
    return (await opened.store.health()).advertised ?? undefined;
  } catch {
    return undefined;
  }
}

async function resolve(host: string): Promise<readonly string[] | string> {
  const question = askNameService(host);
  const timeout = waitedFor(question, nameLimitMs).then(() => `was not resolved by DNS within ${nameLimitMs / 1000} s`);
  const answer = question.answer.then(
    (found) => found.map(({ address }) => address),
    (error: unknown) => `cannot be resolved: ${describeNetworkError(error)}`,
  );
  return Promise.race([answer, timeout]);
}
