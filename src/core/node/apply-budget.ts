import type { Deps } from '../connect/deps.ts';
import { stagingLayout } from '../staging/layout.ts';
import { listCopies } from '../staging/list-copies.ts';
import { planBudget } from '../staging/plan-budget.ts';
import { isCanonicalRoot } from '../staging/same-place.ts';
import { type EvictedCopy, type EvictionReport, evictCopies, findHolders, nameOf } from './evict-copies.ts';
import { listRemovals } from './list-removals.ts';

/** What the recency budget did, or would do; sizes in bytes. */
export interface BudgetReport extends EvictionReport {
  /** Why nothing was checked; null if the budget was applied. */
  readonly skipped: string | null;
  readonly budget_bytes: number;
  /** Idle quantizations that fit, and copies without any, most recently used first. */
  readonly kept: readonly EvictedCopy[];
  readonly dry_run: boolean;
}

/**
 * Applies the recency budget to this node's idle copies. It runs when an instance ends and when a node starts, but never because a disk
 * is full. Nothing is evicted if `cleanup_on_deactivate` is false or the staging root is a store.
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
  const removals = listRemovals(copies);
  const holders = new Map(
    await Promise.all(
      removals.map(async ({ reference, modelId, group }) => [reference, await findHolders(layout, modelId, world.now(), group)] as const),
    ),
  );
  const inUse = new Set([...holders].filter(([, those]) => those.length > 0).map(([reference]) => reference));
  const plan = planBudget(removals, { inUse, budgetBytes: keepRecentBytes.value });
  const report = await evictCopies(deps, layout, plan.evict, { force: false, dryRun });
  return {
    ...report,
    kept_in_use: [...plan.inUse.map((one) => ({ ...nameOf(one), holders: holders.get(one.reference) ?? [] })), ...report.kept_in_use],
    kept: plan.keep.map((one) => ({ ...nameOf(one), size_bytes: one.sizeBytes })),
    skipped: null,
    budget_bytes: keepRecentBytes.value,
    dry_run: dryRun,
  };
}
