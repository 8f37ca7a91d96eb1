import type { Deps } from '../connect/deps.ts';
import { type ErrorCode, SkulkError } from '../kernel/errors.ts';
import { explainingDiskErrors } from '../kernel/explain-system-error.ts';
import { quoteSome } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { readLock } from '../kernel/process/lock.ts';
import type { Holder } from '../protocol/holder.ts';
import { evictCopy } from '../staging/evict-copy.ts';
import { copyLock, copyPath, type StagingLayout } from '../staging/layout.ts';
import { holdersOf, lockHolder } from '../staging/leases/holders.ts';
import { readLiveLeases } from '../staging/leases/lease.ts';

/** A copy that was chosen to go. */
export interface Victim {
  readonly modelId: ModelId;
  readonly sizeBytes: number;
  /** The last use that the choice was based on; a later one saves the copy. */
  readonly lastUsed?: Date;
}

/** A removal that did not come to its end. */
export interface FailedEviction {
  readonly model_id: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}

/** What was removed from this node, or would be. */
export interface EvictionReport {
  readonly evicted: readonly { readonly model_id: string; readonly size_bytes: number }[];
  readonly evicted_bytes: number;
  readonly kept_in_use: readonly { readonly model_id: string; readonly holders: readonly Holder[] }[];
  /** Not a copy any more, but not all of it could be removed; or nothing of it could. */
  readonly failed: readonly FailedEviction[];
}

/** Removes copies one by one; one that fails does not save the others. With `dryRun` only says what would become of them. */
export async function evictCopies(
  { config, world }: Deps,
  layout: StagingLayout,
  victims: readonly Victim[],
  { force, dryRun }: { readonly force: boolean; readonly dryRun: boolean },
): Promise<EvictionReport> {
  const evicted: { model_id: string; size_bytes: number }[] = [];
  const kept: { model_id: string; holders: readonly Holder[] }[] = [];
  const failed: FailedEviction[] = [];
  for (const { modelId, sizeBytes, lastUsed } of victims) {
    if (world.signal.aborted) throw world.signal.reason;
    try {
      const outcome = dryRun ? await foretell(modelId) : await evict(modelId, lastUsed);
      if (outcome.outcome === 'evicted') {
        evicted.push({ model_id: modelId, size_bytes: sizeBytes });
        tellOfOthers(modelId, outcome.others);
      }
      if (outcome.outcome === 'in-use') kept.push({ model_id: modelId, holders: outcome.holders });
    } catch (error) {
      if (!(error instanceof SkulkError) || world.signal.aborted) throw error;
      failed.push({ model_id: modelId, code: error.code, message: error.message, hint: error.hint });
    }
  }
  return { evicted, evicted_bytes: evicted.reduce((sum, { size_bytes }) => sum + size_bytes, 0), kept_in_use: kept, failed };

  async function foretell(modelId: ModelId): Promise<Awaited<ReturnType<typeof evictCopy>>> {
    const holders = force ? [] : await findHolders(layout, modelId, world.now());
    return holders.length > 0 ? { outcome: 'in-use', holders } : { outcome: 'evicted', others: [] };
  }

  function tellOfOthers(modelId: ModelId, others: readonly string[]): void {
    if (others.length === 0) return;
    world.emit({
      type: 'warning',
      message: `${copyPath(layout, modelId)} held files that skulk did not put there, so they stay: ${quoteSome(others)}`,
      hint: `${modelId} cannot be staged again before that directory is moved away`,
    });
  }

  function evict(modelId: ModelId, unusedSince: Date | undefined): ReturnType<typeof evictCopy> {
    return explainingDiskErrors(`cannot remove ${modelId} from ${layout.root}`, () =>
      evictCopy(layout, modelId, { storePath: config.settings.storePath.value, now: world.now, signal: world.signal, force, unusedSince }),
    );
  }
}

/** Who uses a copy now: living leases, and whoever builds or removes it. */
export async function findHolders(layout: StagingLayout, modelId: ModelId, now: Date): Promise<readonly Holder[]> {
  const [leases, lock] = await Promise.all([readLiveLeases(layout, now), readLock(copyLock(layout, modelId))]);
  return [...holdersOf(leases, modelId), ...(lock === undefined ? [] : [lockHolder(lock)])];
}
