import type { LookupAddress } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { isSystemError } from '../../kernel/errors.ts';
import { lateName, unknownName } from '../../kernel/explain-network-error.ts';
import { askNameService, type NameQuestion, waitedFor } from '../../kernel/machine/resolve-name.ts';
import { createExchange } from './exchange.ts';
import { lookupBy, preferRoutable, type StoreLookup } from './prefer-routable.ts';
import { readHealth } from './read-health.ts';
import type { TokenGuard } from './token-guard.ts';

/** Finds the IPv4 address of a store by its announcement; undefined if no store of that name, or more than one, announces itself. */
export type FindByName = (name: string) => Promise<string | undefined>;

/** Short limits, because the first connection waits for these requests. */
const patience = { stallTimeoutMs: 1_000, connectTimeoutMs: 500, connections: 1 };

/**
 * How sockets resolve the store's name. Undefined if the system's own lookup is used: an address needs none, and a certificate belongs to
 * the name and not to an address that was learned.
 */
export function lookupOfStore({
  url,
  signal,
  userAgent,
  findByName,
  carriesToken,
  guard = {},
}: {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly userAgent: string;
  readonly findByName?: FindByName | undefined;
  /** Whether a token is sent there. */
  readonly carriesToken: boolean;
  readonly guard?: TokenGuard | undefined;
}): StoreLookup | undefined {
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== 'http:' || hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  // Any server could claim an address in its answer and claim to be the same store. So a token is only sent to the address of the name
  // itself.
  if (carriesToken) return lookupBy(findByName === undefined ? byNameService : byNameServiceFirst(findByName, guard));
  const resolve = findByName === undefined ? byNameService : byFirstAnswer(findByName);
  const lookup = preferRoutable({
    resolve,
    healthAt: async (address) => {
      const at = isIPv6(address) ? `[${address}]` : address;
      const exchange = createExchange({ url: `http://${at}:${port || 80}`, signal, userAgent, ...patience });
      try {
        return await readHealth(exchange);
      } finally {
        exchange.close();
      }
    },
  });
  return Object.assign(lookup, { quick: lookupBy(resolve) });
}

/** How long a result is cached, also if nothing was found, in milliseconds. */
const rememberedMs = 60_000;
/** How long only the name service is asked, in milliseconds. One that works has answered by then. */
const headStartMs = 300;
/** How long a name may take, in milliseconds. If the first of two name servers is off, the answer takes 5 s. */
const patienceMs = 9_000;

type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

const byNameService: Resolve = (name) => answerTo(askNameService(name), name);

const answerTo = (question: NameQuestion, name: string): ReturnType<Resolve> =>
  Promise.race([question.answer, waitedFor(question, patienceMs).then(() => Promise.reject(lateName(name, patienceMs)))]);

/** The first address from the name service or from mDNS. */
function byFirstAnswer(find: FindByName): Resolve {
  const search = remember((name) => find(name).catch(() => undefined));
  return async (name) => {
    const question = askNameService(name);
    const answered = question.answer.then(
      () => true,
      () => true,
    );
    const isQuick = await Promise.race([answered, waitedFor(question, headStartMs).then(() => false)]);
    const asked = answerTo(question, name);
    if (isQuick) return asked.catch((error: unknown) => orAnnounced(name, error, search));
    const announced = search(name).then((address) => (address === undefined ? asked : [addressOf(address)]));
    try {
      return await Promise.any([asked, announced]);
    } catch {
      return orAnnounced(name, await asked.catch((error: unknown) => error), search);
    }
  };
}

/**
 * A token goes to the address that the name service knows, so mDNS is only asked once the name service does not know the name. A slow one
 * may still answer, and anyone on the LAN could be quicker.
 */
function byNameServiceFirst(find: FindByName, { whenOnlyMdns }: TokenGuard): Resolve {
  const search = remember(async (name) => {
    const address = await find(name).catch(() => undefined);
    if (address !== undefined && whenOnlyMdns !== undefined) throw whenOnlyMdns(name, address);
    return address;
  });
  return (name) => byNameService(name).catch((error: unknown) => orAnnounced(name, error, search));
}

/** The address from mDNS, if the name service does not know the name. Throws the reason why there is none. */
async function orAnnounced(name: string, error: unknown, search: FindByName): Promise<readonly LookupAddress[]> {
  if (!isSystemError(error, 'ENOTFOUND', 'EAI_AGAIN')) throw error;
  const address = await search(name);
  if (address === undefined) throw unknownName(name);
  return [addressOf(address)];
}

const addressOf = (address: string): LookupAddress => ({ address, family: 4 });

function remember(find: FindByName): FindByName {
  let found: { readonly until: number; readonly address: Promise<string | undefined> } | undefined;
  return (name) => {
    if (found === undefined || found.until < performance.now()) found = { until: performance.now() + rememberedMs, address: find(name) };
    found.address.catch(() => undefined);
    return found.address;
  };
}
