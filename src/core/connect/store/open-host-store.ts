import { realpath } from 'node:fs/promises';
import type { Policy } from '../../config/policy.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { acquireLock, describeLockHolder, type HeldLock, isHeld, tryLock } from '../../kernel/process/lock.ts';
import type { LockHolder } from '../../kernel/process/lock-claims.ts';
import { namespaceOf } from '../../kernel/process/process-identity.ts';
import type { World } from '../../kernel/world.ts';
import { watchPresence } from '../../store/disk/store-presence.ts';
import { type DiskStoreOptions, openDiskStore } from '../../store/disk-store.ts';
import { storeLayout } from '../../store/layout.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { HostUploads } from '../../store/upload-contract.ts';
import type { UploadLimits } from '../../store/uploads/upload-table.ts';
import { askForProjectors } from '../ask-for-projector.ts';
import type { Deps } from '../deps.ts';
import { checkStoreDirectory, identifyStore, refuseForeignDirectory, requireServedStore } from '../served-stores.ts';
import { urlFromHere } from '../url-from-here.ts';
import { refuseCopiedStore } from './refuse-copied-store.ts';
import { heldByOther } from './store-errors.ts';
import { whenUnusedIn } from './store-on-disk.ts';

/** A command holds the lock only for a moment, so wait for it, but not for another server. */
async function takeLock(path: string, { signal, emit }: World): Promise<HeldLock | LockHolder> {
  const purpose = 'skulk serve';
  try {
    return await acquireLock(path, {
      purpose,
      timeoutMs: 10_000,
      signal,
      isHopeless: (holder) => holder.purpose === purpose,
      onWait: (holder) => emit({ type: 'waiting', message: `waiting for ${describeLockHolder(holder)}, which writes to the store` }),
    });
  } catch (error) {
    if (!(error instanceof SkulkError) || error.code !== 'LOCKED') throw error;
    return tryLock(path, purpose);
  }
}

/**
 * Opens this machine's canonical store for a server, which stays its only writer.
 * @throws SkulkError LOCKED if another process holds it, CONFLICT for a copy of a served directory, CONFIG for an unusable directory,
 * STORE_UNREACHABLE if the store that was served from there is missing
 */
export async function openHostStore(
  deps: Deps,
  {
    isBusy,
    advertised,
    policy,
    newStore = false,
    adoptDirectory = false,
    onPresence,
  }: Required<Pick<DiskStoreOptions, 'isBusy' | 'advertised'>> & {
    /** The store's current policy. */
    readonly policy: () => Promise<Policy>;
    /** Serve the store that is there now, even if another one was served from there before. */
    readonly newStore?: boolean | undefined;
    /** Turn a directory with its content into the store. */
    readonly adoptDirectory?: boolean | undefined;
    /** Called when the store's disk disappears while it is served, and when it is back. */
    readonly onPresence: (isAway: boolean) => void;
  },
): Promise<{
  readonly store: LocalStore;
  readonly uploads: HostUploads;
  /** Publishes the server's addresses, local and external. */
  readonly setUrl: (url: string, outside: string) => Promise<void>;
  readonly held: Pick<HeldLock, 'assertHeld' | 'lost'>;
}> {
  const { world, config } = deps;
  const { storePath } = config.settings;
  const root = storePath.value;
  await checkStoreDirectory(deps, { mayBeMissing: storePath.origin.from === 'default' });
  if (!newStore) await requireServedStore(deps, root);
  if (!adoptDirectory) await refuseForeignDirectory(config.settings);
  await makeDirectory(root);
  const held = await takeLock(storeLayout(root).lock, world);
  if (!isHeld(held)) {
    await refuseCopiedStore(root, held);
    throw heldByOther(root, held, urlFromHere(held) ?? held.outside_url ?? held.url);
  }
  const identity = await identifyStore(deps, root);
  const presence = await watchPresence(root, { id: identity?.id });
  presence.onChange(onPresence);
  const store = openDiskStore({
    upstream: deps.config.settings.upstream.value,
    root,
    world,
    nodeId: config.nodeId,
    cardsPath: config.settings.cardsPath.value,
    askForProjector: askForProjectors(deps),
    held,
    presence,
    isBusy,
    advertised,
    whenUnused: whenUnusedIn(root, world),
  });
  const { createUploads } = await import('../../store/uploads/uploads.ts');
  const network = namespaceOf('net');
  const setUrl = async (url: string, outside: string): Promise<void> =>
    held.update({ url, outside_url: outside, ...(network !== undefined && { network }), root: await realpath(root) });
  return { store, uploads: createUploads(store, world, uploadLimits(policy)), setUrl, held };
}

/** The limits of unfinished uploads in the current policy. */
export const uploadLimits = (policy: () => Promise<Policy>) => async (): Promise<UploadLimits> => {
  const { limits } = await policy();
  return { open: limits.openUploads, staleAfterMs: limits.uploadIdleDays * 24 * 3600_000 };
};
