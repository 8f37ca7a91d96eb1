import type { Deps } from '../connect/deps.ts';
import { type ErrorCode, SkulkError } from '../kernel/errors.ts';
import { explainingDiskErrors } from '../kernel/explain-system-error.ts';
import { quoteSome } from '../kernel/files/relative-path.ts';
import { formatRef, type ModelId } from '../kernel/model-id.ts';
import { readLock } from '../kernel/process/lock.ts';
import type { Holder } from '../protocol/holder.ts';
import { evictCopy } from '../staging/evict-copy.ts';
import type { GroupFiles } from '../staging/groups/copy-groups.ts';
import { copyLock, copyPath, type StagingLayout } from '../staging/layout.ts';
import { holdersOf, lockHolder } from '../staging/leases/holders.ts';
import { readLiveLeases } from '../staging/leases/lease.ts';

/** A copy to remove, or one quantization of it. */
export interface Victim {
  readonly modelId: ModelId;
  /** Null for weights that are not GGUF; undefined for the whole copy. */
  readonly selector?: string | null | undefined;
  readonly sizeBytes: number;
  /** The size of the shared files that are removed with the last quantization, in bytes. */
  readonly sharedBytes?: number;
  /** The quantization, if it is one of several. */
  readonly group?: GroupFiles | undefined;
  readonly groupCount?: number;
  /** The last use when it was chosen. A later use keeps the copy. */
  readonly lastUsed?: Date;
}

/** A removal that failed or is incomplete. */
export interface FailedEviction {
  readonly model_id: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Identifies a copy, or one quantization of it. */
export interface CopyName {
  readonly model_id: string;
  /** Null for the whole copy, or a quantization without a name. */
  readonly selector: string | null;
  /** Both: `org/name:SELECTOR`. */
  readonly reference: string;
}

/** A removed copy, with its size in bytes. */
export interface EvictedCopy extends CopyName {
  readonly size_bytes: number;
}

/** What was removed from this node, or would be. */
export interface EvictionReport {
  readonly evicted: readonly EvictedCopy[];
  readonly evicted_bytes: number;
  readonly kept_in_use: readonly (CopyName & { readonly holders: readonly Holder[] })[];
  /** Removals that failed or are incomplete. An incompletely removed copy no longer counts as a copy. */
  readonly failed: readonly FailedEviction[];
}

/** Removes copies one by one. A failed removal does not stop the others. `dryRun` only returns the plan. */
export async function evictCopies(
  { config, world }: Deps,
  layout: StagingLayout,
  victims: readonly Victim[],
  { force, dryRun }: { readonly force: boolean; readonly dryRun: boolean },
): Promise<EvictionReport> {
  const evicted: EvictedCopy[] = [];
  const kept: EvictionReport['kept_in_use'][number][] = [];
  const ofModel = Map.groupBy(victims, ({ modelId }) => modelId);
  const failed: FailedEviction[] = [];
  for (const victim of victims) {
    const { modelId, sizeBytes, sharedBytes = 0 } = victim;
    const name = nameOf(victim);
    if (world.signal.aborted) throw world.signal.reason;
    try {
      const outcome = dryRun ? await predict(victim) : await evict(victim);
      if (outcome.outcome === 'evicted') {
        evicted.push({ ...name, size_bytes: sizeBytes + (outcome.isWhole ? sharedBytes : 0) });
        reportOthers(modelId, outcome.others);
      }
      if (outcome.outcome === 'in-use') kept.push({ ...name, holders: outcome.holders });
    } catch (error) {
      if (!(error instanceof SkulkError) || world.signal.aborted) throw error;
      failed.push({ model_id: modelId, code: error.code, message: error.message, hint: error.hint });
    }
  }
  return { evicted, evicted_bytes: evicted.reduce((sum, { size_bytes }) => sum + size_bytes, 0), kept_in_use: kept, failed };

  async function predict(victim: Victim): Promise<Awaited<ReturnType<typeof evictCopy>>> {
    const { modelId, group, groupCount } = victim;
    const others = ofModel.get(modelId) ?? [];
    const isLast = others.length === groupCount && others.at(-1) === victim && !kept.some(({ model_id }) => model_id === modelId);
    const holders = force ? [] : await findHolders(layout, modelId, world.now(), group);
    return holders.length > 0 ? { outcome: 'in-use', holders } : { outcome: 'evicted', others: [], isWhole: group === undefined || isLast };
  }

  function reportOthers(modelId: ModelId, others: readonly string[]): void {
    if (others.length === 0) return;
    world.emit({
      type: 'warning',
      message: `${copyPath(layout, modelId)} contained files that skulk did not create, so they were kept: ${quoteSome(others)}`,
      hint: `move that directory away before you stage ${modelId} again`,
    });
  }

  function evict({ modelId, selector, lastUsed }: Victim): ReturnType<typeof evictCopy> {
    const { now, signal } = world;
    const how = { storePath: config.settings.storePath.value, now, signal, force, unusedSince: lastUsed, selector };
    return explainingDiskErrors(`cannot remove ${modelId} from ${layout.root}`, () => evictCopy(layout, modelId, how));
  }
}

/** The name of a copy or of one quantization. */
export function nameOf({ modelId, selector = null }: Pick<Victim, 'modelId' | 'selector'>): CopyName {
  return { model_id: modelId, selector, reference: formatRef({ modelId, ...(selector !== null && { selector }) }) };
}

/**
 * The current users of a copy: live leases, and processes that build or remove it.
 * @param group only one quantization of several: a running build or removal is of another one, or a newer version
 */
export async function findHolders(layout: StagingLayout, modelId: ModelId, now: Date, group?: GroupFiles): Promise<readonly Holder[]> {
  if (group !== undefined) return holdersOf(await readLiveLeases(layout, now), modelId, group);
  const [leases, lock] = await Promise.all([readLiveLeases(layout, now), readLock(copyLock(layout, modelId))]);
  return [...holdersOf(leases, modelId), ...(lock === undefined ? [] : [lockHolder(lock)])];
}
