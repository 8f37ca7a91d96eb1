import { SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { evictCopy } from '../staging/evict-copy.ts';
import { stagingLayout } from '../staging/layout.ts';
import { listCopies } from '../staging/list-copies.ts';
import { isCanonicalRoot } from '../staging/same-place.ts';
import type { Store } from '../store/contract.ts';
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
  const { store } = opened;
  const sizes = new Map((await store.listModels()).map((entry) => [entry.model_id, entry.total_bytes]));
  const { copies } = await listCopies(stagingLayout(deps.config.settings.nodeCachePath.value));
  const models: DeletionPlan['models'][number][] = [];
  for (const modelId of modelIds) {
    const bytes = sizes.get(modelId) ?? ((await isOnlyAnEntry(store, modelId, deps.world.signal)) ? 0 : undefined);
    if (bytes === undefined)
      throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is not in the store at ${store.location}`, {
        hint: '`skulk registry` lists what is; nothing was deleted',
      });
    models.push({ model_id: modelId, total_bytes: bytes, staged: copies.some((copy) => copy.modelId === modelId) });
  }
  return { models };
}

/** Whether the registry names a model whose directory is gone, which no list shows. */
async function isOnlyAnEntry(store: Store, modelId: ModelId, signal: AbortSignal): Promise<boolean> {
  try {
    const { models } = await store.verify({ modelIds: [modelId], repair: false }, { signal });
    return models.some(({ status }) => status === 'missing');
  } catch (error) {
    if (error instanceof SkulkError && error.code === 'MODEL_NOT_FOUND') return false;
    throw error;
  }
}

/**
 * Removes canonical copies, and this node's staged copies of them.
 * @throws SkulkError MODEL_NOT_FOUND, CONFLICT while a model is being hashed
 */
export async function deleteModels(
  deps: Deps,
  { modelIds }: { readonly modelIds: readonly ModelId[]; readonly force: boolean },
): Promise<DeletionReport> {
  await using opened = await openStore(deps);
  const { config } = deps;
  let freed = 0;
  const deleted: ModelId[] = [];
  let failure: unknown;
  for (const modelId of new Set(modelIds)) {
    try {
      freed += (await opened.store.remove(modelId)).freedBytes;
      deleted.push(modelId);
    } catch (error) {
      if (deleted.length === 0) throw error;
      failure = error;
      break;
    }
  }
  const layout = stagingLayout(config.settings.nodeCachePath.value);
  const isInPlace = await isCanonicalRoot(layout.root, { storePath: config.settings.storePath.value, isStoreHost: config.isStoreHost });
  const { copies } = isInPlace ? { copies: [] } : await listCopies(layout);
  const nodes: DeletionReport['nodes'][number][] = [];
  for (const copy of copies.filter(({ modelId }) => deleted.includes(modelId))) {
    const { outcome } = await evictCopy(layout, copy.modelId, {
      storePath: config.settings.storePath.value,
      now: deps.world.now,
      signal: deps.world.signal,
    });
    const isEvicted = outcome === 'evicted';
    nodes.push({
      node: config.nodeId ?? config.hostname,
      status: isEvicted ? 'done' : 'deferred',
      freed_bytes: isEvicted ? copy.sizeBytes : 0,
    });
  }
  if (failure !== undefined) {
    const { message } = failure instanceof Error ? failure : { message: String(failure) };
    throw new SkulkError('PARTIAL', `deleted ${deleted.join(', ')}, but then: ${message}`, {
      hint: 'delete the rest again',
      cause: failure,
    });
  }
  return { deleted, freed_bytes: freed + nodes.reduce((sum, { freed_bytes }) => sum + freed_bytes, 0), nodes };
}
