import type { ModelId } from '../../kernel/model-id.ts';
import type { Holder } from '../../kernel/process/holder.ts';
import { judgeCopies } from '../../node/judge-copies.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { measureUnfinished } from '../../staging/list-copies.ts';
import { diskRoom } from '../../transfer/disk-room.ts';

/** This node's staged copies, newest use first; sizes in bytes. */
export interface StagingList {
  readonly staging_root: string;
  readonly models: readonly {
    readonly model_id: ModelId;
    readonly directory: string;
    readonly size_bytes: number;
    readonly last_used: string;
    readonly in_use: boolean;
    readonly holders: readonly Holder[];
    readonly digest: string | null;
    /** Whether the budget evicts it when it is next applied, unless it is used before. */
    readonly over_budget: boolean;
  }[];
  /** What is there of copies that are not whole. */
  readonly unfinished: readonly { readonly model_id: ModelId; readonly size_bytes: number }[];
  readonly total_bytes: number;
  readonly free_bytes: number;
  /** What idle copies may take together; null when nothing is evicted by itself. */
  readonly budget_bytes: number | null;
  /** Models are used where the store has them, so there are no copies. */
  readonly in_place: boolean;
  /** What lies there and was not made by skulk. */
  readonly foreign: readonly string[];
}

/** Lists this node's copies. In place of a store there are none: what lies there is canonical. */
export async function listStaging({ config, world }: Parameters<typeof judgeCopies>[0]): Promise<StagingList> {
  const root = config.settings.nodeCachePath.value;
  const { copies, foreign, budgetBytes, isInPlace } = await judgeCopies({ config, world });
  const unfinished = isInPlace ? [] : await measureUnfinished(stagingLayout(root));
  const models = copies.map(({ modelId, directory, sizeBytes, lastUsed, digest, holders, isOverBudget }) => ({
    model_id: modelId,
    directory,
    size_bytes: sizeBytes,
    last_used: lastUsed.toISOString(),
    in_use: holders.length > 0,
    holders,
    digest,
    over_budget: isOverBudget,
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
