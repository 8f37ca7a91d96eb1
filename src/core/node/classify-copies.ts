import type { Deps } from '../connect/deps.ts';
import type { World } from '../kernel/world.ts';
import type { Holder } from '../protocol/holder.ts';
import { stagingLayout } from '../staging/layout.ts';
import { listCopies, type StagedCopy, type StagedGroup } from '../staging/list-copies.ts';
import { planBudget } from '../staging/plan-budget.ts';
import { isCanonicalRoot } from '../staging/same-place.ts';
import { findHolders, nameOf } from './evict-copies.ts';
import { listRemovals } from './list-removals.ts';

/** A copy of this node, and whether the budget evicts it. */
export interface ClassifiedCopy extends StagedCopy {
  readonly holders: readonly Holder[];
  /** Whether the budget will evict it, or some of it, unless it is used before. */
  readonly isOverBudget: boolean;
  /** Most recently used first. */
  readonly quantizations: readonly ClassifiedGroup[];
}

/** A quantization of a copy, and whether the budget evicts it. */
export interface ClassifiedGroup extends StagedGroup {
  readonly holders: readonly Holder[];
  readonly isOverBudget: boolean;
}

/** This node's copies. */
export interface ClassifiedCopies {
  /** Most recently used first. */
  readonly copies: readonly ClassifiedCopy[];
  /** Names that skulk did not create. */
  readonly foreign: readonly string[];
  /** The total size limit of idle copies; null if nothing is evicted automatically. */
  readonly budgetBytes: number | null;
  /** The staging root is a store: its content is canonical, so there are no copies. */
  readonly isInPlace: boolean;
}

/**
 * Lists this node's copies, their users, and which of them the budget would evict now.
 * @param isEnding whether this process is about to release its leases, so that they do not count
 */
export async function classifyCopies(
  { config, world }: { readonly config: Deps['config']; readonly world: Pick<World, 'now'> },
  { isEnding = false }: { readonly isEnding?: boolean } = {},
): Promise<ClassifiedCopies> {
  const { nodeCachePath, storePath, cleanupOnDeactivate, keepRecentBytes } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  if (await isCanonicalRoot(layout.root, { storePath: storePath.value, isStoreHost: config.isStoreHost }))
    return { copies: [], foreign: [], budgetBytes: null, isInPlace: true };
  const budgetBytes = cleanupOnDeactivate.value ? keepRecentBytes.value : null;
  const { copies, foreign } = await listCopies(layout);
  const now = world.now();
  const counts = ({ pid, place }: Holder): boolean => !isEnding || place !== undefined || pid !== process.pid;
  const held = await Promise.all(
    listRemovals(copies).map(async (one) => ({
      ...one,
      holders: (await findHolders(layout, one.modelId, now, one.group)).filter(counts),
    })),
  );
  const holdersOf = new Map(held.map(({ reference, holders }) => [reference, holders]));
  const inUse = new Set(held.filter(({ holders }) => holders.length > 0).map(({ reference }) => reference));
  const goes = new Set(budgetBytes === null ? [] : planBudget(held, { inUse, budgetBytes }).evict.map(({ reference }) => reference));
  const classify = async (copy: StagedCopy): Promise<ClassifiedCopy> => {
    const quantizations = copy.groups.map((group): ClassifiedGroup => {
      const { reference } = nameOf({ modelId: copy.modelId, selector: group.selector });
      return { ...group, holders: holdersOf.get(reference) ?? [], isOverBudget: goes.has(reference) };
    });
    const holders = (await findHolders(layout, copy.modelId, now)).filter(counts);
    return { ...copy, holders, quantizations, isOverBudget: quantizations.some(({ isOverBudget }) => isOverBudget) };
  };
  return {
    copies: await Promise.all(copies.map(classify)),
    foreign,
    budgetBytes,
    isInPlace: false,
  };
}
