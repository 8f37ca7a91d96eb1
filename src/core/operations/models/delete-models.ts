import { checkRevision } from '../../catalog/check-revision.ts';
import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import { noSuchModel } from '../../kernel/no-such-model.ts';
import type { GivenOrder, NodeOutcome } from '../../protocol/fleet.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { listCopies } from '../../staging/list-copies.ts';
import type { Store } from '../../store/contract.ts';
import { awaitNodes, mergeOutcomes, usualWaitMs, whoHoldsWhat, withoutUnconcerned } from '../nodes/order-everywhere.ts';

/** What `skulk delete` is about to do. */
export interface DeletionPlan {
  readonly models: readonly {
    readonly model_id: string;
    readonly total_bytes: number;
    /** Whether this machine has a copy. */
    readonly staged: boolean;
    /** The hostnames of the machines that told the store of a copy. */
    readonly staged_on: readonly string[];
  }[];
}

/** What became of it. */
export interface DeletionReport {
  readonly deleted: readonly string[];
  readonly freed_bytes: number;
  /** Of `freed_bytes`, what the canonical copies had. */
  readonly canonical_bytes: number;
  /** Those that have or had a copy, or answered. */
  readonly nodes: readonly NodeOutcome[];
  /** What the nodes were asked, and how it stands on each of those. */
  readonly orders: readonly GivenOrder[];
}

/**
 * Says what would go.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND for what the store does not have
 */
export async function planDeletion(deps: Deps, { refs }: { readonly refs: readonly ModelRef[] }): Promise<DeletionPlan> {
  await using opened = await openStore(deps);
  const { store } = opened;
  const sizes = new Map((await store.listModels()).map((entry) => [entry.model_id, entry.total_bytes]));
  const nodes = await opened
    .fleet()
    .then((fleet) => fleet.nodes())
    .catch(() => []);
  const { copies } = await listCopies(stagingLayout(deps.config.settings.nodeCachePath.value));
  const models: DeletionPlan['models'][number][] = [];
  for (const ref of refs) {
    const { modelId } = ref;
    const bytes = sizes.get(modelId) ?? ((await isOnlyAnEntry(store, modelId, deps.world.signal)) ? 0 : undefined);
    if (bytes === undefined) throw noSuchModel(modelId, `in the store at ${store.location}`, sizes.keys(), 'nothing was deleted');
    if (ref.revision !== undefined) {
      const answer = await store.manifest(modelId, { signal: deps.world.signal });
      if (answer.state === 'ready') checkRevision(ref, answer.manifest);
    }
    models.push({
      model_id: modelId,
      total_bytes: bytes,
      staged: copies.some((copy) => copy.modelId === modelId),
      staged_on: nodes.filter((node) => node.copies?.some(({ model_id }) => model_id === modelId)).map(({ hostname }) => hostname),
    });
  }
  return { models };
}

/** Whether the registry names a model whose directory is gone, which no list shows. */
async function isOnlyAnEntry(store: Store, modelId: ModelId, signal: AbortSignal): Promise<boolean> {
  try {
    const { models } = await store.verify({ modelIds: [modelId], repair: false }, { signal });
    return models.some(({ status }) => status === 'missing');
  } catch (error) {
    // A store of another kind may have no such question.
    if (error instanceof SkulkError && (error.code === 'MODEL_NOT_FOUND' || error.code === 'STORE_UNREACHABLE')) return false;
    throw error;
  }
}

/**
 * Removes canonical copies, and every node's staged copies of them.
 * @throws SkulkError MODEL_NOT_FOUND, CONFLICT while a model is being downloaded or hashed
 */
export async function deleteModels(
  deps: Deps,
  { modelIds, force, waitMs = usualWaitMs }: { readonly modelIds: readonly ModelId[]; readonly force: boolean; readonly waitMs?: number },
): Promise<DeletionReport> {
  await using opened = await openStore(deps);
  const fleet = await opened.fleet();
  const isConcerned = await whoHoldsWhat(fleet);
  let canonical = 0;
  const orders: GivenOrder[] = [];
  let failure: unknown;
  for (const modelId of new Set(modelIds)) {
    try {
      const { freedBytes, order } = await fleet.remove(modelId, { force });
      canonical += freedBytes;
      orders.push({ ...order, model_id: modelId });
    } catch (error) {
      if (orders.length === 0) throw error;
      failure = error;
      break;
    }
  }
  const deleted = orders.flatMap(({ model_id }) => model_id ?? []);
  // They work at the same time, so they are waited for together.
  const outcomes = await Promise.all(orders.map((order) => awaitNodes(deps, fleet, order, { waitMs, isForAll: true })));
  const concerned = orders.map(({ model_id }, index) => withoutUnconcerned(outcomes[index] ?? [], model_id, isConcerned));
  const nodes = mergeOutcomes(concerned);
  if (failure !== undefined) {
    const { message } = failure instanceof Error ? failure : { message: String(failure) };
    throw new SkulkError('PARTIAL', `deleted ${deleted.join(', ')}, but then: ${message}`, {
      hint: 'delete the rest again',
      cause: failure,
    });
  }
  const freed_bytes = canonical + nodes.reduce((sum, { freed_bytes: bytes }) => sum + bytes, 0);
  return {
    deleted,
    freed_bytes,
    canonical_bytes: canonical,
    nodes,
    orders: orders.map((order, index) => ({ ...order, nodes: concerned[index] ?? [] })),
  };
}
