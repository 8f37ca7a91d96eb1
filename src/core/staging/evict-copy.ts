import { SkulkError } from '../kernel/errors.ts';
import { isHeld, type LockHolder, tryLock } from '../kernel/lock.ts';
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
  const lock = await tryLock(copyLock(layout, modelId), 'an eviction');
  if (!isHeld(lock) && !force) return { outcome: 'in-use', holder: lock };
  try {
    const trashed = await moveToTrash(copyPath(layout, modelId), layout.trash);
    if (trashed !== undefined) await removeTree(trashed);
    if (isHeld(lock)) await removeTree(incomingCopy(layout, modelId).path);
  } finally {
    if (isHeld(lock)) await lock.release();
  }
  return { outcome: 'evicted' };
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
