import { SkulkError } from '../kernel/errors.ts';
import { explainingDiskErrors } from '../kernel/explain-system-error.ts';
import { readLock } from '../kernel/lock.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { evictCopy } from '../staging/evict-copy.ts';
import { copyLock, stagingLayout } from '../staging/layout.ts';
import { listCopies, listUnfinished } from '../staging/list-copies.ts';
import { isCanonicalRoot } from '../staging/same-place.ts';
import { emptyTrash } from '../transfer/remove-tree.ts';
import type { Deps } from './deps.ts';
import type { Holder } from './list-staging.ts';

/** What was removed from this node, or would be. */
export interface PurgeReport {
  readonly evicted: readonly { readonly model_id: string; readonly size_bytes: number }[];
  readonly evicted_bytes: number;
  readonly kept_in_use: readonly { readonly model_id: string; readonly holders: readonly Holder[] }[];
  readonly dry_run: boolean;
}

/**
 * Removes this node's staged copies, or one model's. Canonical copies are never touched: where staging is the store's own
 * directory, nothing is removed at all. What is there of an unfinished copy goes as well.
 * @throws SkulkError MODEL_NOT_FOUND when the named model has no copy here, CONFLICT when a copy lies inside the store
 */
export async function purgeStaging(
  { config, world }: Deps,
  { modelId, dryRun, force }: { readonly modelId?: ModelId | undefined; readonly dryRun: boolean; readonly force: boolean },
): Promise<PurgeReport> {
  const { nodeCachePath, storePath } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  if (await isCanonicalRoot(layout.root, { storePath: storePath.value, isStoreHost: config.isStoreHost })) {
    world.emit({
      type: 'warning',
      message: `${nodeCachePath.value} is a store itself: nothing is staged there and nothing is removed`,
      hint: '`skulk delete` removes canonical copies',
    });
    return { evicted: [], evicted_bytes: 0, kept_in_use: [], dry_run: dryRun };
  }
  const sizes = new Map<ModelId, number>((await listUnfinished(layout)).map((id) => [id, 0]));
  for (const copy of (await listCopies(layout)).copies) sizes.set(copy.modelId, copy.sizeBytes);
  // An earlier purge may have died between moving a copy into the trash and removing it.
  if (!dryRun) await emptyTrash(layout.trash);
  const chosen = [...sizes.keys()].filter((id) => modelId === undefined || id === modelId);
  if (modelId !== undefined && chosen.length === 0)
    throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is not staged on this node`, { hint: '`skulk staging` lists what is' });
  const evicted: { model_id: ModelId; size_bytes: number }[] = [];
  const kept: { model_id: string; holders: readonly Holder[] }[] = [];
  for (const id of chosen) {
    if (world.signal.aborted) throw world.signal.reason;
    const holder = dryRun ? await wouldBeKept(id) : await evict(id);
    if (holder === undefined) evicted.push({ model_id: id, size_bytes: sizes.get(id) ?? 0 });
    else kept.push({ model_id: id, holders: [{ pid: holder.pid, purpose: holder.purpose }] });
  }
  return {
    evicted,
    evicted_bytes: evicted.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    kept_in_use: kept,
    dry_run: dryRun,
  };

  async function wouldBeKept(id: ModelId): Promise<Holder | undefined> {
    return force ? undefined : readLock(copyLock(layout, id));
  }

  async function evict(id: ModelId): Promise<Holder | undefined> {
    const eviction = await explainingDiskErrors(`cannot remove ${id} from ${layout.root}`, () =>
      evictCopy(layout, id, storePath.value, { force }),
    );
    return eviction.outcome === 'in-use' ? eviction.holder : undefined;
  }
}
