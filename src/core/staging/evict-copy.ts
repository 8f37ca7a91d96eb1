import { isDiskFull, SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { type HeldLock, isHeld, readLock, tryLock } from '../kernel/process/lock.ts';
import type { LockHolder } from '../kernel/process/lock-claims.ts';
import type { Holder } from '../protocol/holder.ts';
import { takeAway, takeFiles } from '../transfer/trash/take-away.ts';
import type { Sealed } from '../transfer/trash/trash-entries.ts';
import { removeWorkPlace } from '../transfer/work-place.ts';
import { settleChanges } from './groups/change-journal.ts';
import { splitGroups, withLastUse } from './groups/copy-groups.ts';
import { evictGroup } from './groups/evict-group.ts';
import { findStagedGroup } from './groups/find-staged-group.ts';
import { readLastUsed } from './last-used.ts';
import { copyLock, copyPath, copyRecordName, incomingCopy, lastUsedName, type StagingLayout } from './layout.ts';
import { endTimedLeases } from './leases/end-timed-leases.ts';
import { behindGate } from './leases/gate.ts';
import { holdersOf, lockHolder } from './leases/holders.ts';
import { readLiveLeases } from './leases/lease.ts';
import { findForeignFiles, inspectPlace, isOfCopy, proveReplaceable } from './own-copy.ts';
import { isInside, isInsideStore, isStore } from './same-place.ts';

/** The purpose in the lock of a copy that is being evicted. */
export const evictionPurpose = 'an eviction';

/** The result of an eviction. */
export type Eviction =
  /** `others` are foreign files in the copy's directory, which stay there. `isWhole`: nothing is left of the copy. */
  | { readonly outcome: 'evicted'; readonly others: readonly string[]; readonly isWhole: boolean }
  | { readonly outcome: 'in-use'; readonly holders: readonly Holder[] }
  /** The copy was used after it had been chosen. */
  | { readonly outcome: 'used-since' };

/** Options of an eviction. */
export interface EvictionOptions {
  /** The possible location of this machine's canonical store. Nothing in it is ever removed. */
  readonly storePath: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /**
   * Also remove a copy that is in use. A copy that a live process is building stays. Leases on the removed copy that are bound to time
   * end, so that a later copy does not count as in use.
   */
  readonly force?: boolean;
  /** The last use when the copy was chosen. A later use keeps the copy. */
  readonly unusedSince?: Date | undefined;
  /** Only this quantization, or null for weights that are not GGUF; undefined for the whole copy. */
  readonly selector?: string | null | undefined;
}

/**
 * Removes a staged copy and its unfinished parts: a rename into the trash, then deletion. A copy with a lease is in use, and a copy that
 * is being staged is too. Removing one of several quantizations needs no lock, because a running stage builds another one or a newer
 * version. Files that skulk did not create stay: a whole directory, or single files in a copy's directory.
 * @throws SkulkError CONFLICT if the copy is inside the store
 */
export async function evictCopy(layout: StagingLayout, modelId: ModelId, options: EvictionOptions): Promise<Eviction> {
  const { storePath, force = false } = options;
  await refuseCanonical(layout, modelId, storePath);
  const part = options.selector === undefined ? undefined : await evictPart(layout, modelId, { ...options, selector: options.selector });
  if (part !== undefined) return part;
  const lock = await lockOrHolder(layout, modelId);
  if (lock !== undefined && !isHeld(lock) && !force) return { outcome: 'in-use', holders: [lockHolder(lock)] };
  try {
    const isFull = lock === undefined;
    const move = async (gate?: Pick<HeldLock, 'assertHeld'>): Promise<Eviction & { trashed?: Sealed | undefined }> => {
      const moved = await moveAway(layout, modelId, options, async () => {
        if (lock !== undefined && isHeld(lock)) await lock.assertHeld();
        await gate?.assertHeld();
      });
      if (force && moved.outcome === 'evicted') await endTimedLeases(layout, modelId);
      return moved;
    };
    // On a full disk the gate cannot be taken, but no lease can be written either.
    const { trashed, ...eviction } = await (isFull ? move() : behindGate(layout, options.signal, move));
    if (eviction.outcome !== 'evicted') return eviction;
    await trashed?.remove();
    if (lock !== undefined && isHeld(lock)) await lock.assertHeld();
    if (lock === undefined || isHeld(lock)) await removeWorkPlace(incomingCopy(layout, modelId));
    return eviction;
  } finally {
    if (lock !== undefined && isHeld(lock)) await lock.release();
  }
}

/** Removes one of several quantizations; undefined if the copy has only this one. */
async function evictPart(
  layout: StagingLayout,
  modelId: ModelId,
  { selector, storePath, now, signal, force = false, unusedSince }: EvictionOptions & { readonly selector: string | null },
): Promise<Eviction | undefined> {
  const nothing: Eviction = { outcome: 'evicted', others: [], isWhole: false };
  const work = async (gate?: Pick<HeldLock, 'assertHeld'>): Promise<{ eviction?: Eviction; trashed?: Sealed }> => {
    await settleChanges(layout, modelId);
    const path = copyPath(layout, modelId);
    const found = await inspectPlace(path, modelId);
    if (found.is !== 'ours' || found.record === undefined) return { eviction: nothing };
    const groups = splitGroups(found.record.manifest, withLastUse(found.record.groups, await readLastUsed(path)));
    const group = groups.find((one) => one.selector === selector) ?? (selector === null ? undefined : findStagedGroup(groups, selector));
    if (group === undefined) return { eviction: nothing };
    if (groups.length === 1) return {};
    const holders = force ? [] : holdersOf(await readLiveLeases(layout, now()), modelId, group);
    if (holders.length > 0) return { eviction: { outcome: 'in-use', holders } };
    if (unusedSince !== undefined && new Date(group.lastUsed) > unusedSince) return { eviction: { outcome: 'used-since' } };
    await refuseCanonical(layout, modelId, storePath);
    const copy = { ...found.record, groups };
    const trashed = await evictGroup(layout, { modelId, copy, group }, async () => gate?.assertHeld());
    if (force) await endTimedLeases(layout, modelId, group);
    return { eviction: nothing, trashed };
  };
  const { eviction, trashed } = await behindGate(layout, signal, work).catch(async (error: unknown) => {
    // On a full disk the gate cannot be taken, but no lease can be written either.
    if (!isDiskFull(error)) throw error;
    return await work();
  });
  await trashed?.remove();
  return eviction;
}

async function moveAway(
  layout: StagingLayout,
  modelId: ModelId,
  { storePath, now, force = false, unusedSince }: EvictionOptions,
  assertHeld: () => Promise<void>,
): Promise<Eviction & { trashed?: Sealed | undefined }> {
  const holders = force ? [] : holdersOf(await readLiveLeases(layout, now()), modelId);
  if (holders.length > 0) return { outcome: 'in-use', holders };
  const path = copyPath(layout, modelId);
  await settleChanges(layout, modelId);
  const lastUsed = await readLastUsed(path);
  if (unusedSince !== undefined && lastUsed !== undefined && lastUsed > unusedSince) return { outcome: 'used-since' };
  await refuseCanonical(layout, modelId, storePath);
  const found = await inspectPlace(path, modelId);
  // Removes the unfinished copy, even if the copy's own directory is not skulk's.
  if (found.is !== 'ours') return { outcome: 'evicted', others: [], isWhole: true };
  const others = await findForeignFiles(path, found.record);
  await assertHeld();
  if (others.length > 0) {
    const trashed = await takeFiles(path, layout, { isOurs: isOfCopy(found.record), last: [lastUsedName, copyRecordName] });
    return { outcome: 'evicted', others, isWhole: true, trashed };
  }
  const taken = await takeAway(path, layout, proveReplaceable(modelId));
  return { outcome: 'evicted', others: [], isWhole: true, trashed: await taken?.seal() };
}

/**
 * Takes the copy's lock, or returns its holder. On a full disk nobody can write a lock, so nobody can stage either, and an eviction is
 * what the disk needs. Then it returns undefined, unless a live process holds the lock already.
 */
async function lockOrHolder(layout: StagingLayout, modelId: ModelId): Promise<HeldLock | LockHolder | undefined> {
  const path = copyLock(layout, modelId);
  try {
    return await tryLock(path, evictionPurpose);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    return readLock(path);
  }
}

/** Checked at the moment of removal and by real path: a link may lead somewhere else than the settings say. */
async function refuseCanonical(layout: StagingLayout, modelId: ModelId, storePath: string): Promise<void> {
  const path = copyPath(layout, modelId);
  const holdsStore = (await isStore(storePath)) && (await isInside(storePath, path));
  if (!holdsStore && !(await isStore(layout.root)) && !(await isInsideStore(path, storePath))) return;
  throw new SkulkError('CONFLICT', `${path} is inside the store, so it is not removed`, {
    hint: 'set staging.node_cache_path to a directory outside the store; `skulk delete` removes canonical copies',
  });
}
