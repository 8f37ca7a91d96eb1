import { isIP } from 'node:net';
import type { Endpoint } from '../../catalog/programs/programs.ts';
import type { Deps } from '../../connect/deps.ts';
import { guardToken } from '../../connect/guard-token.ts';
import { openStore } from '../../connect/open-store.ts';
import { remoteUrl } from '../../connect/remote-url.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { askNameService, resolveName } from '../../kernel/machine/resolve-name.ts';

/** The server that programs use as their Hub. */
export interface HubEndpoint extends Endpoint {
  readonly address: string;
  /** Its address for programs on other machines. */
  readonly outsideAddress: string;
  /** Whether it is the server of this machine. */
  readonly isOwn: boolean;
  /** The rights of the LAN there without a token. */
  readonly lan: 'node' | 'read' | 'none';
  /** Why no token may be sent there. */
  readonly withheld: SkulkError | undefined;
}

/**
 * Finds the server for programs of this machine: the local one, else the store. A store in `--store` has priority.
 * @throws SkulkError STORE_NOT_CONFIGURED without either, STORE_UNREACHABLE if it does not answer
 */
export async function findEndpoint(deps: Deps): Promise<HubEndpoint> {
  const { config } = deps;
  const { findServer } = await import('../../access/serve-record.ts');
  const server = config.settings.storeUrl.origin.from === 'flag' ? undefined : await findServer(config.skulkHome);
  if (server !== undefined) {
    const address = withoutSlash(server.localApiUrl);
    return { address, outsideAddress: withoutSlash(server.apiUrl), isOwn: true, withheld: undefined, ...(await ask(deps, address)) };
  }
  const url = await urlOfStore(deps);
  const { withheld, whenOnlyMdns } = guardToken(config, url);
  const { address, isLearned } = await asPrograms(deps, url);
  const learned = isLearned ? whenOnlyMdns?.(new URL(url).hostname, new URL(address).hostname) : undefined;
  return { address, outsideAddress: address, isOwn: false, withheld: withheld ?? learned, ...(await ask(deps, address)) };
}

async function urlOfStore(deps: Deps): Promise<string> {
  const named = remoteUrl(deps.config);
  if (named !== undefined && deps.config.settings.enabled.value) return named;
  await using opened = await openStore(deps);
  if (opened.url !== undefined) return withoutSlash(opened.url);
  throw new SkulkError('STORE_NOT_CONFIGURED', 'no `skulk serve` runs on this machine, so programs cannot reach the store', {
    hint: 'start it, or name another store: SKULK_STORE=http://HOST:58080',
  });
}

/**
 * The URL with a host that other programs can resolve: a name that only mDNS knows becomes an address.
 * @throws SkulkError STORE_UNREACHABLE for a name that neither knows
 */
export async function asPrograms(deps: Deps, url: string): Promise<{ readonly address: string; readonly isLearned: boolean }> {
  const { hostname } = new URL(url);
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return { address: url, isLearned: false };
  const byNameService = (): Promise<readonly unknown[]> => askNameService(hostname).answer.catch(() => []);
  // A slow name service decides where a token goes.
  const known = await (deps.config.settings.token.value === undefined ? resolveName(hostname) : byNameService());
  if (known.length > 0) return { address: url, isLearned: false };
  const { findStoreByName } = await import('../../connect/discover.ts');
  const found = await findStoreByName(deps, hostname).catch(() => undefined);
  if (found === undefined && (await byNameService()).length > 0) return { address: url, isLearned: false };
  if (found === undefined)
    throw new SkulkError('STORE_UNREACHABLE', `the host name ${hostname} cannot be resolved`, {
      hint: 'use the address of the store instead: SKULK_STORE=http://ADDRESS:58080',
    });
  const address = new URL(url);
  address.hostname = found;
  return { address: withoutSlash(address.href), isLearned: true };
}

/** Asks a server for its rights without a token, and whether it serves programs. */
async function ask({ world }: Deps, url: string): Promise<Pick<HubEndpoint, 'problem' | 'needsToken' | 'lan'>> {
  const { askSession } = await import('../../client/session-client.ts');
  const answer = await askSession({ url, signal: world.signal, userAgent: `skulk/${world.version}`, bearer: undefined });
  if (answer.state === 'none')
    return { problem: `the store at ${url} is the Python program, which is not a Hub for other programs`, needsToken: false, lan: 'node' };
  const lan = answer.state === 'refused' ? 'none' : answer.lan;
  return { problem: undefined, needsToken: lan === 'none', lan };
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
