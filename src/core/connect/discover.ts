import { networkInterfaces } from 'node:os';
import { SkulkError } from '../kernel/errors.ts';
import { sameHostname } from '../kernel/machine/hostname.ts';
import { isOwnAddress } from '../kernel/machine/own-address.ts';
import type { Deps } from './deps.ts';
import { mayUseMdns } from './may-use-mdns.ts';
import type { AnnouncedStore } from './mdns.ts';
import { type RankedAddress, rankAddresses } from './routable-address.ts';
import { initCommand } from './store/store-errors.ts';

/** The stores that answered, and this machine's own addresses. */
export interface Discovery {
  readonly stores: readonly AnnouncedStore[];
  readonly addresses: readonly RankedAddress[];
  /** The problems that occurred. */
  readonly problems: readonly string[];
}

/** How long a command without a store listens, in milliseconds. */
const shortMs = 700;

/** Searches the LAN for stores. @param timeoutMs how long to listen, unless `isEnough` accepts an answer */
export async function discover(
  deps: Deps,
  { timeoutMs, isEnough }: { readonly timeoutMs: number; readonly isEnough?: (store: AnnouncedStore) => boolean },
): Promise<Discovery> {
  const problems: string[] = [];
  const addresses = rankAddresses(networkInterfaces(), deps.config.settings.storeHttpHost.value);
  if (!mayUseMdns(deps)) return { stores: [], addresses, problems: ['SKULK_NO_MDNS or SKULK_NO_DISCOVERY is set, so no search was made'] };
  const { discoverStores } = await import('./mdns.ts');
  const onProblem = (message: string): void => void problems.push(message);
  const stores = await discoverStores({ timeoutMs, isEnough, signal: deps.world.signal, onProblem });
  if (deps.world.signal.aborted) throw deps.world.signal.reason;
  return { stores, addresses, problems };
}

/**
 * The store that announces itself, for a machine without a configured store. If there are several, the one on this machine.
 * @returns undefined if there is none
 * @throws SkulkError STORE_AMBIGUOUS if there are several on other machines
 */
export async function findOnlyStore(deps: Deps): Promise<string | undefined> {
  const { stores, addresses } = await discover(deps, { timeoutMs: shortMs });
  const here = stores.filter(({ url }) => addresses.some(({ address, interface: name }) => name !== null && address === hostOf(url)));
  const [only] = here.length === 1 ? here : stores;
  if (only === undefined) return undefined;
  if (stores.length > 1 && here.length !== 1)
    throw new SkulkError('STORE_AMBIGUOUS', `found ${stores.length} stores: ${stores.map(nameOf).join(', ')}`, {
      hint: `choose one: SKULK_STORE=${only.url}, or \`${initCommand} --store-host NAME\``,
    });
  deps.world.emit({ type: 'note', message: `the store ${nameOf(only)} was found by mDNS` });
  return only.url;
}

/** The URL of the store that this machine itself announces, with its node id and one of its addresses. */
export async function findOwnStore(deps: Deps, nodeId: string): Promise<string | undefined> {
  const isMatch = ({ node_id, url }: AnnouncedStore): boolean => node_id === nodeId && isOwnAddress(hostOf(url));
  const { stores } = await discover(deps, { timeoutMs: shortMs, isEnough: isMatch });
  return stores.find(isMatch)?.url;
}

/** The stores on the LAN that belong to other machines. */
export async function findOtherStores(deps: Deps): Promise<readonly string[]> {
  const { stores, addresses } = await discover(deps, { timeoutMs: shortMs });
  return stores.filter(({ url }) => !addresses.some(({ address }) => address === hostOf(url))).map(nameOf);
}

/**
 * Finds a store whose name the name service does not know or is slow to resolve, e.g. if `store_host` is a node id.
 * @returns an IPv4 address; undefined if no store announces the name, or several do
 */
export async function findStoreByName(deps: Deps, name: string): Promise<string | undefined> {
  // A name in a URL has lost its capitals.
  const isMatch = ({ hostname, node_id }: AnnouncedStore): boolean =>
    node_id.toLowerCase() === name.toLowerCase() || (hostname !== '' && sameHostname(hostname, name));
  const { stores } = await discover(deps, { timeoutMs: shortMs, isEnough: isMatch });
  const matches = stores.filter(isMatch);
  const [only] = matches;
  if (only === undefined || matches.length > 1) return undefined;
  deps.world.emit({ type: 'note', message: `DNS does not resolve ${name}; ${nameOf(only)} was found by mDNS` });
  return hostOf(only.url);
}

const hostOf = (url: string): string => new URL(url).hostname;

const nameOf = ({ url, hostname }: AnnouncedStore): string => (hostname === '' ? url : `${url} (${hostname})`);
