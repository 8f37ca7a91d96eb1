import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { type HeldLock, isHeld, type LockHolder, readLock, tryLock } from '../kernel/lock.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { moveToTrash, removeTree } from '../transfer/remove-tree.ts';
import { copyLock, copyPath, incomingCopy, type StagingLayout } from './layout.ts';
import { isInside, isInsideStore, isStore } from './same-place.ts';

/** What became of an eviction. */
export type Eviction = { readonly outcome: 'evicted' } | { readonly outcome: 'in-use'; readonly holder: LockHolder };

/**
 * Removes a staged copy and what is there of an unfinished one: a rename into the trash, then deletion. A copy that is being staged is in use.
 * @param storePath where this machine's canonical store may lie; nothing in it is ever removed
 * @param force also remove a copy that is in use; what a live process builds anew is left to it
 * @throws SkulkError CONFLICT when the copy lies where the store does
 */
export async function evictCopy(layout: StagingLayout, modelId: ModelId, storePath: string, { force = false } = {}): Promise<Eviction> {
  await refuseCanonical(layout, modelId, storePath);
  const lock = await lockOrHolder(layout, modelId);
  if (lock !== undefined && !isHeld(lock) && !force) return { outcome: 'in-use', holder: lock };
  try {
    const trashed = await moveToTrash(copyPath(layout, modelId), layout.trash);
    if (trashed !== undefined) await removeTree(trashed);
    if (lock === undefined || isHeld(lock)) await removeTree(incomingCopy(layout, modelId).path);
  } finally {
    if (lock !== undefined && isHeld(lock)) await lock.release();
  }
  return { outcome: 'evicted' };
}

/**
 * The copy's lock, or who holds it. On a full disk no lock can be written, neither by us nor by anybody who would stage, and
 * an eviction is what the disk needs: then undefined, unless a live process holds it already.
 */
async function lockOrHolder(layout: StagingLayout, modelId: ModelId): Promise<HeldLock | LockHolder | undefined> {
  const path = copyLock(layout, modelId);
  try {
    return await tryLock(path, 'an eviction');
  } catch (error) {
    if (!isSystemError(error, 'ENOSPC', 'EDQUOT')) throw error;
    return readLock(path);
  }
}

/** Checked at the moment of removal and by real path: the settings may say one thing and the links another. */
async function refuseCanonical(layout: StagingLayout, modelId: ModelId, storePath: string): Promise<void> {
  const path = copyPath(layout, modelId);
  const holdsStore = (await isStore(storePath)) && (await isInside(storePath, path));
  if (!holdsStore && !(await isStore(layout.root)) && !(await isInsideStore(path, storePath))) return;
  throw new SkulkError('CONFLICT', `${path} lies where the store keeps its canonical copies, so it is not removed`, {
    hint: 'set staging.node_cache_path to a directory outside the store; `skulk delete` removes canonical copies',
  });
}
