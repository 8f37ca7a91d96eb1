import { SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { evictCopy } from '../staging/evict-copy.ts';
import { stagingLayout } from '../staging/layout.ts';
import { listCopies } from '../staging/list-copies.ts';
import { isSameDirectory } from '../staging/same-place.ts';
import type { Deps } from './deps.ts';
import { openStore } from './open-store.ts';

/** What `skulk delete` is about to do. */
export interface DeletionPlan {
  readonly models: readonly { readonly model_id: string; readonly total_bytes: number; readonly staged: boolean }[];
}

/** What became of it. */
export interface DeletionReport {
  readonly deleted: readonly string[];
  readonly freed_bytes: number;
  readonly nodes: readonly { readonly node: string; readonly status: 'done' | 'deferred'; readonly freed_bytes: number }[];
}

/**
 * Says what would go.
 * @throws SkulkError MODEL_NOT_FOUND for a model that the store does not have
 */
export async function planDeletion(deps: Deps, { modelIds }: { readonly modelIds: readonly ModelId[] }): Promise<DeletionPlan> {
  await using opened = await openStore(deps);
  const entries = new Map((await opened.store.listModels()).map((entry) => [entry.model_id, entry]));
  const { copies } = await listCopies(stagingLayout(deps.config.settings.nodeCachePath.value));
  return {
    models: modelIds.map((modelId) => {
      const entry = entries.get(modelId);
      if (entry === undefined) throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is not in the store at ${opened.store.location}`, { hint: '`skulk registry` lists what is; nothing was deleted' });
      return { model_id: modelId, total_bytes: entry.total_bytes, staged: copies.some((copy) => copy.modelId === modelId) };
    }),
  };
}

/**
 * Removes canonical copies, and this node's staged copies of them.
 * @throws SkulkError MODEL_NOT_FOUND, CONFLICT while a model is being hashed
 */
export async function deleteModels(deps: Deps, { modelIds }: { readonly modelIds: readonly ModelId[]; readonly force: boolean }): Promise<DeletionReport> {
  await using opened = await openStore(deps);
  const { config } = deps;
  let freed = 0;
  for (const modelId of modelIds) freed += (await opened.store.remove(modelId)).freedBytes;
  const layout = stagingLayout(config.settings.nodeCachePath.value);
  const isInPlace = await isSameDirectory(layout.root, config.settings.storePath.value);
  const { copies } = isInPlace ? { copies: [] } : await listCopies(layout);
  const nodes: DeletionReport['nodes'][number][] = [];
  for (const copy of copies.filter(({ modelId }) => modelIds.includes(modelId))) {
    const { outcome } = await evictCopy(layout, copy.modelId, config.settings.storePath.value);
    const isEvicted = outcome === 'evicted';
    nodes.push({ node: config.nodeId ?? config.hostname, status: isEvicted ? 'done' : 'deferred', freed_bytes: isEvicted ? copy.sizeBytes : 0 });
  }
  return { deleted: modelIds, freed_bytes: freed + nodes.reduce((sum, { freed_bytes }) => sum + freed_bytes, 0), nodes };
}
