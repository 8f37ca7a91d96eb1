import type { FindByName } from '../../client/http/lookup-of-store.ts';
import type { TokenGuard } from '../../client/http/token-guard.ts';
import { createStoreClient, openTransport } from '../../client/store-client.ts';
import { stallMsOf } from '../../kernel/env-seconds.ts';
import type { Deps } from '../deps.ts';
import { guardToken } from '../guard-token.ts';
import { mayUseMdns } from '../may-use-mdns.ts';
import type { OpenedStore } from './opened-store.ts';
import { tokenNeeds } from './token-needs.ts';

/** The maximum number of simultaneous requests: the most that a user may configure. */
const connections = 32;

/**
 * A store behind a URL, over the connections of `deps`, which stay open for the next use. Opens no connection yet.
 * @param localRoot the directory of its copies, if it is the server of a store on this disk
 * @param withKey see `openStore`
 */
export async function openOverHttp(
  deps: Deps,
  url: string,
  { localRoot, withKey = true }: { localRoot?: string | undefined; withKey?: boolean } = {},
): Promise<OpenedStore> {
  const { world, config } = deps;
  const { token, guard } = await credentialFor(deps, url, { withKey, isOwnServer: localRoot !== undefined });
  const stallTimeoutMs = stallMsOf(world);
  const options = {
    url,
    signal: world.signal,
    userAgent: `skulk/${world.version}`,
    nodeId: config.nodeId,
    connections,
    ...(token === undefined
      ? { tokenNeeds: () => tokenNeeds(config, url, { isOwnServer: localRoot !== undefined, learned: announcedAddress(deps) }) }
      : { token, guard }),
    ...(stallTimeoutMs !== undefined && { stallTimeoutMs }),
  };
  const kept = deps.connections;
  // With a token, fewer addresses of a name are allowed.
  const transport = kept.keep(JSON.stringify([url, token ?? null, guard.withheld?.message ?? null]), () =>
    openTransport({ ...options, signal: kept.world.signal, findByName: findByName({ ...deps, world: kept.world }) }),
  );
  const store = createStoreClient({ ...options, transport });
  return {
    store,
    url,
    downloads: async () => store.downloads,
    optimizations: async () => store.optimizations,
    fleet: async () => store.fleet,
    uploads: store.uploads,
    probe: store.probe,
    news: store.news,
    access: store.access,
    audit: store.audit,
    swarms: store.swarms,
    reportEvictions: store.reportEvictions,
    offer: store.offer,
    notInStore: store.notInStore,
    requireToken: () => {
      if (token !== undefined && guard.withheld !== undefined) throw guard.withheld;
    },
    ...(localRoot !== undefined && { localRoot }),
    [Symbol.asyncDispose]: async () => store.close(),
  };
}

/** Finds a store by the name that it announces; undefined if this machine uses no mDNS. */
export const findByName = (deps: Deps): FindByName | undefined =>
  mayUseMdns(deps)
    ? async (name) => {
        const address = await (await import('../discover.ts')).findStoreByName(deps, name);
        if (address !== undefined) announced.set(deps.connections, address);
        return address;
      }
    : undefined;

/** The addresses that were found by a name; a machine has one store. */
const announced = new WeakMap<Deps['connections'], string>();

/** The address that mDNS had for the name of the store, if it was asked. */
export const announcedAddress = (deps: Deps): string | undefined => announced.get(deps.connections);

/**
 * The credential for a store: a token from a flag or the environment, else this machine's key for its own server, else the configured
 * token. The key needs no guard, because only the server that wrote the lock gets it.
 */
async function credentialFor(
  { config }: Deps,
  url: string,
  { withKey, isOwnServer }: { readonly withKey: boolean; readonly isOwnServer: boolean },
): Promise<{ readonly token: string | undefined; readonly guard: TokenGuard }> {
  const { value: token, origin } = config.settings.token;
  const guard = guardToken(config, url, { isOwnServer });
  if (!withKey) return { token, guard };
  const { keyFor } = await import('../../access/serve-record.ts');
  const key = await keyFor(config.skulkHome, url);
  if (key === undefined) return { token, guard };
  // That server needs no guard for a token of this machine either.
  const isSaid = token !== undefined && (origin.from === 'flag' || origin.from === 'environment');
  return { token: isSaid ? token : key, guard: {} };
}
