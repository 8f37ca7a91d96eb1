import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deps } from '../../connect/deps.ts';
import type { ErrorCode, SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { isHeld, tryLock } from '../../kernel/process/lock.ts';
import type { BudgetReport } from '../../node/apply-budget.ts';
import { catchUp, listOrdersForNode, type OrderForNode } from '../../node/catch-up.ts';
import { leaseLayout } from '../../node/lease-layout.ts';
import { clearEmptyPlace } from '../../staging/clear-empty-place.ts';
import { copyLock, incomingCopy, type StagingLayout, stagingLayout } from '../../staging/layout.ts';
import { sortLeases } from '../../staging/leases/lease.ts';
import { dropLeases } from '../../staging/leases/take-lease.ts';
import { listUnfinished } from '../../staging/list-copies.ts';
import { isCanonicalRoot } from '../../staging/same-place.ts';
import { sweepTrash } from '../../staging/sweep-trash.ts';
import { countTrash } from '../../transfer/trash/empty-trash.ts';
import { removeWorkPlace } from '../../transfer/work-place.ts';
import { stageHere } from './carry-out-stage.ts';
import { stayWithinBudget } from './stay-within-budget.ts';

/** What a node cleaned up, or would. */
export interface ReconcileReport extends BudgetReport {
  /** Leases of dead processes, or expired ones. */
  readonly dropped_leases: readonly { readonly model_id: string; readonly purpose: string }[];
  /** Unfinished copies without progress for a week. */
  readonly stale_partials: readonly string[];
  /** The number of directories that earlier removals left in the trash. */
  readonly trash_entries: number;
  /** The store's orders, and their results here. */
  readonly orders: readonly OrderForNode[];
  /** Why the store refused to be asked for orders; null if it did not. */
  readonly refused: Refused | null;
}

/** A refusal of the store. */
export interface Refused {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | null;
}

const weekMs = 7 * 86_400_000;

/**
 * The work of a node at its start: removes dead leases and stale unfinished copies, empties the trash, carries out pending orders, and
 * applies the budget.
 * @param receiveOrders whether to ask the store for orders; a server's agent does that anyway
 */
export async function reconcile(
  deps: Deps,
  { dryRun, receiveOrders }: { readonly dryRun: boolean; readonly receiveOrders: boolean },
): Promise<ReconcileReport> {
  const { config, world } = deps;
  const { nodeCachePath, storePath } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  const isStore = await isCanonicalRoot(layout.root, { storePath: storePath.value, isStoreHost: config.isStoreHost });
  const leasesAt = await leaseLayout(deps, { offline: true });
  const { dead } = await sortLeases(leasesAt, world.now());
  const dropped_leases = dead.map(({ model_id, purpose }) => ({ model_id, purpose }));
  if (!dryRun) await dropLeases(leasesAt, dead);
  if (isStore)
    return {
      dropped_leases,
      stale_partials: [],
      trash_entries: 0,
      orders: [],
      refused: null,
      ...(await stayWithinBudget(deps, { dryRun })),
    };
  const stale = await findStale(layout, world.now());
  const trashEntries = await countTrash(layout.trash);
  const removed = dryRun ? stale : await removeStale(layout, stale);
  if (!dryRun) {
    for (const modelId of await listUnfinished(layout)) await clearEmptyPlace(layout, modelId);
    await emptyTrash(deps, layout);
  }
  const { orders, refused } = receiveOrders ? await fetchOrders(deps, { dryRun }) : { orders: [], refused: null };
  return {
    dropped_leases,
    stale_partials: removed,
    trash_entries: trashEntries,
    orders,
    refused,
    // The orders came before the evictions.
    ...(await stayWithinBudget(deps, { dryRun, reportsCopies: receiveOrders })),
  };
}

/** Removes unfinished copies that no process is building. */
async function removeStale(layout: StagingLayout, stale: readonly ModelId[]): Promise<readonly ModelId[]> {
  const removed: ModelId[] = [];
  for (const modelId of stale) {
    const lock = await tryLock(copyLock(layout, modelId), 'cleaning up');
    if (!isHeld(lock)) continue;
    try {
      await lock.assertHeld();
      await removeWorkPlace(incomingCopy(layout, modelId));
      removed.push(modelId);
    } finally {
      await lock.release();
    }
  }
  return removed;
}

async function emptyTrash({ world }: Deps, layout: StagingLayout): Promise<void> {
  const { left, foreign } = await sweepTrash(layout, world.signal);
  for (const path of foreign)
    world.emit({ type: 'warning', message: `${path} was not created by skulk and was kept`, hint: 'move it out of that directory' });
  for (const path of left) world.emit({ type: 'warning', message: `cannot remove ${path}, which is left from an earlier removal` });
}

async function fetchOrders(deps: Deps, { dryRun }: { readonly dryRun: boolean }): Promise<Pick<ReconcileReport, 'orders' | 'refused'>> {
  const refusals: Refused[] = [];
  const onRefusal = ({ code, message, hint }: SkulkError): void => void refusals.push({ code, message, hint: hint ?? null });
  const orders = dryRun
    ? await listOrdersForNode(deps, { onRefusal })
    : (await catchUp(deps, { full: true, isRequested: true, stage: stageHere(deps), onRefusal })).map(
        ({ order: { kind, model_id, selector }, outcome }) => ({ kind, model_id, selector, ...outcome }),
      );
  return { orders, refused: refusals[0] ?? null };
}

async function findStale(layout: StagingLayout, now: Date) {
  const unfinished = await listUnfinished(layout);
  const newest = await Promise.all(unfinished.map((modelId) => lastTouched(incomingCopy(layout, modelId).path)));
  return unfinished.filter((_, index) => now.getTime() - (newest[index] ?? 0) > weekMs);
}

/** When an unfinished copy was last written: according to its journal, or to its directories before there is a journal. */
async function lastTouched(directory: string): Promise<number> {
  const times = await Promise.all(
    [directory, join(directory, 'journal'), join(directory, 'files')].map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...times);
}
