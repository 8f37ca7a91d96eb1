import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import { reportRemoval } from '../../node/catch-up.ts';
import { type EvictionReport, evictCopies, nameOf, type Victim } from '../../node/evict-copies.ts';
import { findRemovals } from '../../node/list-removals.ts';
import { type StagingLayout, stagingLayout } from '../../staging/layout.ts';
import { listCopies } from '../../staging/list-copies.ts';
import { isCanonicalRoot } from '../../staging/same-place.ts';
import { sweepTrash } from '../../staging/sweep-trash.ts';
import { requireStaged } from './require-staged.ts';

/** What was removed from this node, or would be. */
export interface PurgeReport extends EvictionReport {
  readonly dry_run: boolean;
}

/**
 * Removes this node's staged copies, all of them or those of some models, including unfinished ones. Canonical copies are never touched:
 * if the staging directory is the store itself, nothing is removed. Reports the remaining copies to the store, if it is there.
 * @throws SkulkError MODEL_NOT_FOUND if a named model or quantization has no copy here, REVISION_NOT_FOUND, and then nothing is removed;
 * CONFLICT if a copy is inside the store
 */
export async function purgeStaging(
  deps: Deps,
  { refs = [], dryRun, force }: { readonly refs?: readonly ModelRef[]; readonly dryRun: boolean; readonly force: boolean },
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
  // An earlier command may have died between moving a copy to the trash and removing or replacing it.
  if (!dryRun) await sweepTrash(layout, world.signal);
  const found = refs.length === 0 ? [await findRemovals(layout)] : await Promise.all(refs.map((ref) => chooseRemovals(layout, ref)));
  const victims = new Map(found.flat().map((one) => [nameOf(one).reference, one]));
  const report = await evictCopies(deps, layout, [...victims.values()], { force, dryRun });
  const [failure] = report.failed;
  // A removal that failed may have removed a part of the copy.
  if (!dryRun && (report.evicted.length > 0 || failure !== undefined)) await reportRemoval(deps);
  if (failure !== undefined && report.evicted.length === 0) throw new SkulkError(failure.code, failure.message, { hint: failure.hint });
  return { ...report, dry_run: dryRun };
}

/** Finds the copies for a reference. @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND */
async function chooseRemovals(layout: StagingLayout, ref: ModelRef): Promise<readonly Victim[]> {
  const found = await findRemovals(layout, ref);
  const { copies } = await listCopies(layout);
  // A model that is being staged has no copy yet.
  if (found.length === 0 || copies.some(({ modelId }) => modelId === ref.modelId)) await requireStaged(copies, ref);
  return found;
}
