import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { type EvictionReport, evictCopies } from '../../node/evict-copies.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { listRemovable } from '../../staging/list-copies.ts';
import { isCanonicalRoot } from '../../staging/same-place.ts';
import { sweepTrash } from '../../staging/sweep-trash.ts';

/** What was removed from this node, or would be. */
export interface PurgeReport extends EvictionReport {
  readonly dry_run: boolean;
}

/**
 * Removes this node's staged copies, all of them or those of some models. Canonical copies are never touched: where staging is the store's own
 * directory, nothing is removed at all. What is there of an unfinished copy goes as well.
 * @throws SkulkError MODEL_NOT_FOUND when a named model has no copy here; nothing is removed then, CONFLICT when a copy lies inside the store
 */
export async function purgeStaging(
  deps: Deps,
  { modelIds = [], dryRun, force }: { readonly modelIds?: readonly ModelId[]; readonly dryRun: boolean; readonly force: boolean },
): Promise<PurgeReport> {
  const { config, world } = deps;
  const { nodeCachePath, storePath } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  if (await isCanonicalRoot(layout.root, { storePath: storePath.value, isStoreHost: config.isStoreHost })) {
    world.emit({
      type: 'warning',
      message: `${nodeCachePath.value} is a store itself: nothing is staged there and nothing is removed`,
      hint: '`skulk delete` removes canonical copies',
    });
    return { evicted: [], evicted_bytes: 0, kept_in_use: [], failed: [], dry_run: dryRun };
  }
  // An earlier command may have died between moving a copy into the trash and removing it, or putting another in its place.
  if (!dryRun) await sweepTrash(layout, world.signal);
  const victims = (await listRemovable(layout)).filter((one) => modelIds.length === 0 || modelIds.includes(one.modelId));
  const missing = modelIds.find((id) => !victims.some(({ modelId }) => modelId === id));
  if (missing !== undefined)
    throw new SkulkError('MODEL_NOT_FOUND', `${missing} is not staged on this node`, { hint: '`skulk staging` lists what is' });
  const report = await evictCopies(deps, layout, victims, { force, dryRun });
  const [failure] = report.failed;
  if (failure !== undefined && report.evicted.length === 0) throw new SkulkError(failure.code, failure.message, { hint: failure.hint });
  return { ...report, dry_run: dryRun };
}
