import { SkulkError } from '../kernel/errors.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { Deps } from './deps.ts';
import { findStore } from './store/find-store.ts';
import type { OpenedStore } from './store/opened-store.ts';

export type { OpenedStore } from './store/opened-store.ts';

/**
 * Finds the store, in the same way for every command: the server's own inside a server; the one in a flag or the environment; on the host
 * the running server, else the disk; elsewhere the configured host. HTTP uses the connections of `deps`.
 * @param mayCreate whether this machine's own default store may be created if there is none at all
 * @param beforeCreating called before it is created; its error is thrown, and nothing is created
 * @param withKey whether to send this machine's key to its running server; a server itself sends it to nobody
 * @throws SkulkError STORE_NOT_CONFIGURED, STORE_UNREACHABLE if its disk is not mounted, CONFIG if the configured directory is missing or
 * contains a user's files
 */
export async function openStore(
  deps: Deps,
  {
    mayCreate = false,
    beforeCreating,
    withKey = true,
  }: { readonly mayCreate?: boolean; readonly beforeCreating?: () => Promise<void>; readonly withKey?: boolean } = {},
): Promise<OpenedStore> {
  const { store } = deps;
  if (store !== undefined)
    return {
      store,
      downloads: async () => deps.downloads ?? noDownloads(),
      optimizations: async () => deps.optimizations ?? noOptimizations(),
      fleet: async () => deps.fleet ?? (await onDisk()).openUnservedFleet(deps, store as LocalStore),
      [Symbol.asyncDispose]: async () => {},
    };
  const { url, localRoot } = await findStore(deps, { mayCreate, beforeCreating });
  if (url === undefined) return (await onDisk()).openOnDisk(deps, localRoot);
  const { openOverHttp } = await import('./store/store-over-http.ts');
  return openOverHttp(deps, url, { localRoot, withKey });
}

/** A node with a store over HTTP does not load the code for its host. */
const onDisk = () => import('./store/store-on-disk.ts');

function noDownloads(): never {
  throw new Error('this server has a store without downloads');
}

function noOptimizations(): never {
  throw new SkulkError('NOT_FOUND', 'this server does not optimize models');
}
