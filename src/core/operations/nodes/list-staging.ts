import { classifyCopies } from '../../node/classify-copies.ts';
import type { StagingList } from '../../protocol/staging.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { measureUnfinished } from '../../staging/list-copies.ts';
import { diskRoom } from '../../transfer/disk-room.ts';

/** Lists this node's copies; empty if models are used in place, because those copies are canonical. */
export async function listStaging({ config, world }: Parameters<typeof classifyCopies>[0]): Promise<StagingList> {
  const root = config.settings.nodeCachePath.value;
  const { copies, foreign, budgetBytes, isInPlace } = await classifyCopies({ config, world });
  const unfinished = isInPlace ? [] : await measureUnfinished(stagingLayout(root));
  const models = copies.map(({ modelId, directory, sizeBytes, lastUsed, digest, verified, holders, isOverBudget, quantizations }) => ({
    model_id: modelId,
    directory,
    size_bytes: sizeBytes,
    last_used: lastUsed.toISOString(),
    in_use: holders.length > 0,
    holders,
    digest,
    ...(verified !== undefined && { verified }),
    over_budget: isOverBudget,
    quantizations: quantizations.map((one) => ({
      selector: one.selector,
      // A model without quantizations may have 50,000 files, and the list is sent repeatedly.
      files: one.selector === null ? [] : [...one.files],
      digest: one.digest,
      size_bytes: one.sizeBytes,
      last_used: one.lastUsed.toISOString(),
      in_use: one.holders.length > 0,
      holders: one.holders,
      over_budget: one.isOverBudget,
    })),
  }));
  return {
    staging_root: root,
    models,
    unfinished: unfinished.map(({ modelId, sizeBytes }) => ({ model_id: modelId, size_bytes: sizeBytes })),
    total_bytes: models.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    free_bytes: (await diskRoom(root)).free,
    budget_bytes: budgetBytes,
    in_place: isInPlace,
    foreign,
  };
}
