import type { Holder } from '../kernel/holder.ts';
import type { World } from '../kernel/world.ts';
import { stagingLayout } from '../staging/layout.ts';
import { listCopies } from '../staging/list-copies.ts';
import { isCanonicalRoot } from '../staging/same-place.ts';
import { diskRoom } from '../transfer/disk-room.ts';
import type { Deps } from './deps.ts';
import { findHolders } from './evict-copies.ts';

/** This node's staged copies, newest use first; sizes in bytes. */
export interface StagingList {
  readonly staging_root: string;
  readonly models: readonly {
    readonly model_id: string;
    readonly directory: string;
    readonly size_bytes: number;
    readonly last_used: string;
    readonly in_use: boolean;
    readonly holders: readonly Holder[];
    readonly digest: string | null;
  }[];
  readonly total_bytes: number;
  readonly free_bytes: number;
  /** What lies there and was not made by skulk. */
  readonly foreign: readonly string[];
}

/** Lists this node's copies. In place of a store there are none: what lies there is canonical. */
export async function listStaging({
  config,
  world,
}: {
  readonly config: Deps['config'];
  readonly world: Pick<World, 'now'>;
}): Promise<StagingList> {
  const { nodeCachePath, storePath } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  const inPlace = await isCanonicalRoot(nodeCachePath.value, { storePath: storePath.value, isStoreHost: config.isStoreHost });
  const { copies, foreign } = inPlace ? { copies: [], foreign: [] } : await listCopies(layout);
  const models = await Promise.all(
    copies.map(async ({ modelId, directory, sizeBytes, lastUsed, digest }) => {
      const holders = await findHolders(layout, modelId, world.now());
      return {
        model_id: modelId,
        directory,
        size_bytes: sizeBytes,
        last_used: lastUsed.toISOString(),
        in_use: holders.length > 0,
        holders,
        digest,
      };
    }),
  );
  return {
    staging_root: nodeCachePath.value,
    models,
    total_bytes: models.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    free_bytes: (await diskRoom(nodeCachePath.value)).free,
    foreign,
  };
}
