import { networkInterfaces } from 'node:os';
import { SkulkError } from '../kernel/errors.ts';
import type { AnnouncedStore } from '../network/mdns.ts';
import { type JudgedAddress, judgeAddresses } from '../network/routable-address.ts';
import type { Deps } from './deps.ts';

/** The stores that answered, and what is known of this machine's own addresses. */
export interface Discovery {
  readonly stores: readonly AnnouncedStore[];
  readonly addresses: readonly JudgedAddress[];
  /** What did not work. */
  readonly problems: readonly string[];
}

/** How long a command that has no store listens, in milliseconds. */
const shortMs = 700;

/** Whether this machine may use mDNS: `SKULK_NO_MDNS` forbids it. */
export const mayUseMdns = ({ world }: Deps): boolean => !/^(1|true|yes|on)$/i.test(world.env['SKULK_NO_MDNS'] ?? '');

/** Asks the LAN for stores. @param timeoutMs how long to listen */
export async function discover(deps: Deps, { timeoutMs }: { readonly timeoutMs: number }): Promise<Discovery> {
  const problems: string[] = [];
  const addresses = judgeAddresses(networkInterfaces(), deps.config.settings.storeHttpHost.value);
  if (!mayUseMdns(deps)) return { stores: [], addresses, problems: ['SKULK_NO_MDNS is set, so nobody was asked'] };
  const { discoverStores } = await import('../network/mdns.ts');
  const onProblem = (message: string): void => void problems.push(message);
  const stores = await discoverStores({ timeoutMs, signal: deps.world.signal, onProblem });
  if (deps.world.signal.aborted) throw deps.world.signal.reason;
  return { stores, addresses, problems };
}

/**
 * The one store that announces itself, for a machine to which nobody has said which one to use.
 * @returns undefined when there is none
 * @throws SkulkError STORE_NOT_CONFIGURED when there are several
 */
export async function findOnlyStore(deps: Deps): Promise<string | undefined> {
  const { stores } = await discover(deps, { timeoutMs: shortMs });
  const [only] = stores;
  if (stores.length > 1)
    throw new SkulkError('STORE_NOT_CONFIGURED', `there are ${stores.length} stores: ${stores.map(nameOf).join(', ')}`, {
      hint: `choose one: SKULK_STORE=${only?.url}, or \`skulk config init --store-host NAME\``,
    });
  if (only !== undefined) deps.world.emit({ type: 'note', message: `the store ${nameOf(only)} was found by mDNS` });
  return only?.url;
}

const nameOf = ({ url, hostname }: AnnouncedStore): string => (hostname === '' ? url : `${url} (${hostname})`);
