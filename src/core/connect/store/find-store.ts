import { SkulkError } from '../../kernel/errors.ts';
import { isThere } from '../../kernel/files/is-there.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { readLock } from '../../kernel/process/lock.ts';
import { storeLayout } from '../../store/layout.ts';
import type { Deps } from '../deps.ts';
import { remoteUrl } from '../remote-url.ts';
import { checkStoreDirectory, refuseForeignDirectory, requireServedStore, servedFrom } from '../served-stores.ts';
import { urlFromHere } from '../url-from-here.ts';
import { discoverOnce } from './discover-once.ts';
import { refuseCopiedStore } from './refuse-copied-store.ts';
import { notConfigured, servedOutOfReach, switchedOff } from './store-errors.ts';

/** Where a store is: behind a URL, possibly of a server on this machine, or on this disk without a server. */
export type StorePlace =
  | { readonly url: string; readonly localRoot?: string | undefined }
  | { readonly url?: undefined; readonly localRoot: string };

/**
 * Decides which store a command uses; see `openStore`.
 * @param mayCreate whether to create the directory of this machine's default store if there is no store at all
 * @param beforeCreating called before that
 * @throws SkulkError STORE_NOT_CONFIGURED, STORE_UNREACHABLE, STORE_AMBIGUOUS, CONFIG; CONFLICT for a copy of a served directory
 */
export async function findStore(
  deps: Deps,
  { mayCreate, beforeCreating }: { readonly mayCreate: boolean; readonly beforeCreating?: (() => Promise<void>) | undefined },
): Promise<StorePlace> {
  const { settings, isStoreHost, isStoreNamed } = deps.config;
  if (!settings.enabled.value) throw switchedOff(deps);
  const url = remoteUrl(deps.config);
  if (url !== undefined) return { url };
  if (!isStoreHost) throw notConfigured();
  const root = settings.storePath.value;
  const holder = await readLock(storeLayout(root).lock);
  if (holder?.url !== undefined) {
    await refuseCopiedStore(root, holder);
    const near = urlFromHere(holder);
    if (near === undefined) throw servedOutOfReach(root, holder);
    return { url: near, localRoot: root };
  }
  const exists = await isThere(root);
  await checkOwnDirectory(deps, { exists, mayCreate });
  if (isStoreNamed || (exists && (await isInUse(deps, root)))) return { localRoot: root };
  const nearby = await discoverOnce(deps, exists && mayCreate ? 'own server' : 'any store');
  if (nearby !== undefined) return { url: nearby };
  if (exists) return { localRoot: root };
  if (!mayCreate) throw notConfigured();
  await beforeCreating?.();
  await makeDirectory(root);
  // Somebody who forgot SKULK_STORE would look for the model in the store of another machine.
  deps.world.emit({
    type: 'warning',
    message: `no store was found, so one was created on this machine, in ${root}`,
    hint: 'to use the store of another machine, set SKULK_STORE=http://THAT-MACHINE:58080',
  });
  return { localRoot: root };
}

/** @throws SkulkError CONFIG, STORE_UNREACHABLE if the directory has another content than before */
async function checkOwnDirectory(deps: Deps, { exists, mayCreate }: { exists: boolean; mayCreate: boolean }): Promise<void> {
  const { settings, isStoreNamed } = deps.config;
  const root = settings.storePath.value;
  const isDefault = settings.storePath.origin.from === 'default';
  if (!exists && isStoreNamed) await checkStoreDirectory(deps, { mayBeMissing: isDefault });
  // A default store that never had a model has lost nothing, and the user may have removed its directory on purpose.
  if (isStoreNamed || mayCreate || (await servedFrom(deps, root))?.models !== 0) await requireServedStore(deps, root);
  if (exists) await refuseForeignDirectory(settings);
  else if (isStoreNamed && isDefault && !mayCreate)
    throw new SkulkError('CONFIG', `this machine is the store host, but has no store yet: ${root} does not exist`, {
      hint: '`skulk serve` and `skulk add` create it',
    });
}

/**
 * Whether this machine's default store is in use. An empty one may come from a `skulk serve` that should have been a node, or from one
 * before another directory was configured. Then a store nearby is preferred.
 */
async function isInUse(deps: Deps, root: string): Promise<boolean> {
  // A directory without a lock was created by the user on purpose.
  if (!(await isThere(storeLayout(root).lock))) return true;
  const { openOnDisk } = await import('./store-on-disk.ts');
  await using own = await openOnDisk(deps, root);
  return (await own.store.health()).models > 0;
}
