import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deps } from '../connect/deps.ts';
import { isDiskFull, isSystemError, SkulkError } from '../kernel/errors.ts';
import { reasonOf } from '../kernel/explain-system-error.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { isThere } from '../kernel/files/is-there.ts';
import { pause } from '../kernel/flow/backoff.ts';
import { acquireLock } from '../kernel/process/lock.ts';
import type { Order, OrderOutcome } from '../protocol/fleet.ts';
import { describeHolders } from '../protocol/holder.ts';
import { evictionPurpose } from '../staging/evict-copy.ts';
import { type StagingLayout, stagingLayout } from '../staging/layout.ts';
import { isCanonicalRoot } from '../staging/same-place.ts';
import { type EvictionReport, evictCopies, nameOf, type Victim } from './evict-copies.ts';
import { findRemovals } from './list-removals.ts';

const maxReasonBytes = 1000;
/** How often to retry while another process evicts the copy, and the interval in milliseconds. */
const maxAttempts = 100;
const retryMs = 50;
/** The holder of the lock may remove large trees, which is slow on some disks; in milliseconds. */
const lockPatienceMs = 600_000;
/** A process that received an order before it was settled handles it within this time; in milliseconds. */
const settledKeptMs = 3_600_000;

/** A result as it is saved on this node. */
interface SavedOutcome extends OrderOutcome {
  /** The copies that an order to purge every copy could not remove yet, by reference or model. */
  readonly left?: readonly string[];
  /** What each node removed, by its id: nodes that share a directory report only their own part of it. */
  readonly freed_by?: Readonly<Record<string, number>>;
}

/**
 * Carries out an order of the store on this node. Its result is saved before it is reported, so that a repeated order does nothing: a
 * copy that was staged since then stays.
 * @throws the signal's reason
 */
export async function carryOutOrder(deps: Deps, order: Order): Promise<OrderOutcome> {
  const { world, config } = deps;
  const { nodeCachePath, storePath } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  // These copies are canonical.
  if (await isCanonicalRoot(layout.root, { storePath: storePath.value, isStoreHost: config.isStoreHost }))
    return { status: 'done', freed_bytes: 0, reason: null };
  try {
    // A command and an agent of one machine may get the same order. The second one reports the result of the first.
    await using _ = await lockOrders(layout, world.signal);
    return await carryOutAlone(deps, layout, order);
  } catch (error) {
    if (world.signal.aborted) throw world.signal.reason;
    return {
      status: 'failed',
      freed_bytes: order.order_id === '' ? 0 : freedBy(config.nodeId, await readOutcome(layout, order)),
      reason: short(reasonOf(error)),
    };
  }
}

async function carryOutAlone(deps: Deps, layout: StagingLayout, order: Order): Promise<OrderOutcome> {
  const { world, config } = deps;
  // Without an id, it is the order of a store that gives none, and its result belongs to no other order.
  const isGiven = order.order_id !== '';
  const before = isGiven ? await readOutcome(layout, order) : undefined;
  let freed_bytes = freedBy(config.nodeId, before);
  if (before?.status === 'done') return { status: 'done', freed_bytes, reason: before.reason };
  let report: EvictionReport;
  for (let attempt = 1; ; attempt += 1) {
    const victims = await chooseVictims(layout, order, before?.left);
    report = await evictCopies(deps, layout, victims, { force: order.force, dryRun: false });
    freed_bytes += report.evicted_bytes;
    // A command and an agent of one machine may get the same order. The second one waits for the first.
    if (attempt === maxAttempts || report.kept_in_use.length === 0 || !report.kept_in_use.every(isBeingEvicted)) break;
    await pause(retryMs, world.signal);
  }
  const { kept_in_use, failed } = report;
  const outcome: OrderOutcome =
    failed.length > 0
      ? { status: 'failed', freed_bytes, reason: short(failed.map(({ message }) => message).join('; ')) }
      : kept_in_use.length > 0
        ? {
            status: 'deferred',
            freed_bytes,
            reason: short(kept_in_use.map(({ reference, holders }) => `${reference} is in use by ${describeHolders(holders)}`).join('; ')),
          }
        : { status: 'done', freed_bytes, reason: null };
  const left = [...kept_in_use.map(({ reference }) => reference), ...failed.map(({ model_id }) => model_id)];
  const saved: SavedOutcome = {
    ...outcome,
    ...(order.model_id === null && outcome.status !== 'done' && { left }),
    freed_by: { ...before?.freed_by, [config.nodeId ?? '']: freed_bytes },
  };
  // A node that never staged has nothing that a repeated order could remove.
  if (isGiven && (await isThere(layout.root))) await writeFileDurably(outcomeFile(layout, order), JSON.stringify(saved));
  return outcome;
}

/** Marks a result as known to the store, which will not ask again. It is deleted after a while. */
export async function settleOutcome({ config, world }: Pick<Deps, 'config' | 'world'>, order: Order): Promise<void> {
  const layout = stagingLayout(config.settings.nodeCachePath.value);
  try {
    await rename(outcomeFile(layout, order), settledFile(layout, order));
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  const settled = (await readdir(ordersOf(layout)).catch((): string[] => [])).filter((name) => name.endsWith(settledSuffix));
  for (const name of settled) {
    const path = join(ordersOf(layout), name);
    const since = await stat(path).catch(() => undefined);
    // The rename is the last change of the entry.
    if (since !== undefined && world.now().getTime() - since.ctimeMs > settledKeptMs) await rm(path, { force: true });
  }
}

/** One order at a time, across processes. Without space for a lock, or without any staged copy, there is no lock. */
async function lockOrders(layout: StagingLayout, signal: AbortSignal): Promise<AsyncDisposable | undefined> {
  if (!(await isThere(layout.root))) return undefined;
  try {
    return await acquireLock(join(ordersOf(layout), 'lock'), { purpose: 'an order of the store', timeoutMs: lockPatienceMs, signal });
  } catch (error) {
    if (isDiskFull(error)) return undefined;
    throw error;
  }
}

/** @param left what an earlier try of an order to purge every copy could not remove; later copies stay */
async function chooseVictims(
  layout: StagingLayout,
  { model_id: modelId, selector }: Order,
  left: readonly string[] | undefined,
): Promise<readonly Victim[]> {
  if (modelId !== null) return await findRemovals(layout, { modelId, selector });
  // There are no orders for one quantization of every model.
  if (selector !== undefined) return [];
  const all = await findRemovals(layout);
  return left === undefined ? all : all.filter((one) => left.includes(nameOf(one).reference) || left.includes(one.modelId));
}

/** The bytes that a node has removed for an order. A result of an earlier version has no owner. */
const freedBy = (nodeId: string | undefined, saved: SavedOutcome | undefined): number =>
  (saved?.freed_by === undefined ? saved?.freed_bytes : saved.freed_by[nodeId ?? '']) ?? 0;

const isBeingEvicted = ({ holders }: EvictionReport['kept_in_use'][number]): boolean =>
  holders.every(({ purpose }) => purpose === evictionPurpose);

const settledSuffix = '.settled.json';

const ordersOf = ({ root }: StagingLayout): string => join(root, '.skulk', 'v1', 'orders');
const outcomeFile = (layout: StagingLayout, { order_id }: Order): string => join(ordersOf(layout), `${order_id}.json`);
const settledFile = (layout: StagingLayout, { order_id }: Order): string => join(ordersOf(layout), `${order_id}${settledSuffix}`);

const short = (text: string): string => text.slice(0, maxReasonBytes);

async function readOutcome(layout: StagingLayout, order: Order): Promise<SavedOutcome | undefined> {
  try {
    const { status, freed_bytes, reason, left, freed_by } = JSON.parse(
      await readEither(settledFile(layout, order), outcomeFile(layout, order)),
    ) as Partial<SavedOutcome>;
    if (!Number.isSafeInteger(freed_bytes) || (status !== 'done' && status !== 'deferred' && status !== 'failed')) return undefined;
    const outcome = { status, freed_bytes: freed_bytes as number, reason: typeof reason === 'string' ? reason : null };
    return {
      ...outcome,
      ...(Array.isArray(left) && { left }),
      ...(isCounts(freed_by) && { freed_by }),
    };
  } catch (error) {
    if (error instanceof SkulkError) throw error;
    return undefined;
  }
}

const isCounts = (value: unknown): value is Readonly<Record<string, number>> =>
  typeof value === 'object' && value !== null && Object.values(value).every(Number.isSafeInteger);

const readEither = (path: string, other: string): Promise<string> => readFile(path, 'utf8').catch(() => readFile(other, 'utf8'));
