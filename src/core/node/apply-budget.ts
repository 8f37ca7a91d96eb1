import type { Deps } from '../connect/deps.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { stagingLayout } from '../staging/layout.ts';
import { listCopies } from '../staging/list-copies.ts';
import { planBudget } from '../staging/plan-budget.ts';
import { isCanonicalRoot } from '../staging/same-place.ts';
import { type EvictionReport, evictCopies, findHolders } from './evict-copies.ts';

/** What the recency budget did, or would do; sizes in bytes. */
export interface BudgetReport extends EvictionReport {
  /** Why nothing was looked at, or null when the budget was applied. */
  readonly skipped: string | null;
  readonly budget_bytes: number;
  /** Idle copies that fit, newest use first. */
  readonly kept: readonly { readonly model_id: string; readonly size_bytes: number }[];
  readonly dry_run: boolean;
}

/**
 * Applies the recency budget to this node's idle copies. It runs when an instance ends and when a node starts, never because
 * a disk fills. Nothing is evicted where `cleanup_on_deactivate` is false or the staging root is a store.
 */
export async function applyBudget(deps: Deps, { dryRun }: { readonly dryRun: boolean }): Promise<BudgetReport> {
  const { config, world } = deps;
  const { nodeCachePath, storePath, cleanupOnDeactivate, keepRecentBytes } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  const nothing = {
    evicted: [],
    evicted_bytes: 0,
    kept_in_use: [],
    failed: [],
    kept: [],
    budget_bytes: keepRecentBytes.value,
    dry_run: dryRun,
  };
  if (!cleanupOnDeactivate.value) return { ...nothing, skipped: 'staging.cleanup_on_deactivate is false' };
  if (await isCanonicalRoot(layout.root, { storePath: storePath.value, isStoreHost: config.isStoreHost }))
    return { ...nothing, skipped: `${layout.root} is a store itself` };
  const { copies } = await listCopies(layout);
  const holders = new Map(
    await Promise.all(copies.map(async ({ modelId }) => [modelId, await findHolders(layout, modelId, world.now())] as const)),
  );
  const isUsed = (modelId: ModelId): boolean => (holders.get(modelId)?.length ?? 0) > 0;
  const inUse = new Set(copies.map(({ modelId }) => modelId).filter(isUsed));
  const plan = planBudget(copies, { inUse, budgetBytes: keepRecentBytes.value });
  const report = await evictCopies(deps, layout, plan.evict, { force: false, dryRun });
  return {
    ...report,
    kept_in_use: [...plan.inUse.map(({ modelId }) => ({ model_id: modelId, holders: holders.get(modelId) ?? [] })), ...report.kept_in_use],
    kept: plan.keep.map(({ modelId, sizeBytes }) => ({ model_id: modelId, size_bytes: sizeBytes })),
    skipped: null,
    budget_bytes: keepRecentBytes.value,
    dry_run: dryRun,
  };
}
