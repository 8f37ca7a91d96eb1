import { join } from 'node:path';
import { checkRevision } from '../../catalog/check-revision.ts';
import { planRemoval } from '../../catalog/selection/plan-removal.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import type { Deps } from '../../connect/deps.ts';
import { isPythonHost } from '../../connect/is-python-host.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { mapConcurrently, maxOpenFiles } from '../../kernel/flow/concurrency.ts';
import { formatRef, type ModelId, type ModelRef, withoutRepeats } from '../../kernel/model-id.ts';
import { noSuchModel } from '../../kernel/no-such-model.ts';
import { mayHave } from '../../protocol/describe/may-have.ts';
import type { GivenOrder, NodeOutcome } from '../../protocol/fleet.ts';
import type { RegistryEntry } from '../../protocol/models.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { listCopies } from '../../staging/list-copies.ts';
import type { Store } from '../../store/contract.ts';
import { readFingerprint } from '../../transfer/fingerprint.ts';
import { awaitNodes, findConcerned, mergeOutcomes, usualWaitMs, withoutUnconcerned } from '../nodes/order-everywhere.ts';
import { logUnserved } from '../store/log-change.ts';

/** What `skulk delete` is about to do. */
export interface DeletionPlan {
  readonly models: readonly {
    readonly model_id: ModelId;
    /** The quantization to remove, as named by the store; absent if the whole model is deleted. */
    readonly selector?: string;
    /** Its own files, which are removed. */
    readonly files?: readonly string[];
    /** Whether it is the last one, so that the model is deleted with it. */
    readonly is_last?: boolean;
    readonly total_bytes: number;
    /** Whether this machine has a copy. */
    readonly staged: boolean;
    /** The hostnames of the machines that reported a copy to the store. */
    readonly staged_on: readonly string[];
    /** The same machines: several may have the same hostname. */
    readonly nodes: readonly { readonly node_id: string; readonly hostname: string }[];
  }[];
  /** All machines that the store knows: several may have the same hostname. */
  readonly known: readonly { readonly node_id: string; readonly hostname: string }[];
}

/** The result of a deletion. */
export interface DeletionReport {
  /** References: `org/name`, `org/name:Q4_K_M`. */
  readonly deleted: readonly string[];
  /** The same as parsed references. */
  readonly removed: readonly ModelRef[];
  readonly freed_bytes: number;
  /** The part of `freed_bytes` that belonged to the canonical copies. */
  readonly canonical_bytes: number;
  /** The nodes that have or had a copy, or answered. */
  readonly nodes: readonly NodeOutcome[];
  /** The orders to the nodes, and their state on each of them. */
  readonly orders: readonly GivenOrder[];
  /** All machines that the store knows: several may have the same hostname. */
  readonly known: DeletionPlan['known'];
}

/**
 * Plans a deletion.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, FILE_NOT_FOUND for items that are not in the store
 */
export async function planDeletion(deps: Deps, { refs }: { readonly refs: readonly ModelRef[] }): Promise<DeletionPlan> {
  await using opened = await openStore(deps);
  const { store } = opened;
  const entries = new Map((await store.listModels()).map((entry) => [entry.model_id, entry]));
  const nodes = await opened
    .fleet()
    .then((fleet) => fleet.nodes())
    .catch(() => []);
  const { copies } = await listCopies(stagingLayout(deps.config.settings.nodeCachePath.value));
  const models: DeletionPlan['models'][number][] = [];
  for (const ref of refs) {
    const { modelId } = ref;
    const entry = entries.get(modelId);
    const bytes = entry?.total_bytes ?? ((await isOnlyAnEntry(store, modelId, deps.world.signal)) ? 0 : undefined);
    if (bytes === undefined) throw noSuchModel(modelId, `in the store at ${store.location}`, entries.keys(), 'nothing was deleted');
    const part =
      ref.selector === undefined ? undefined : await planPart(store, { ...ref, selector: ref.selector }, entry, deps.world.signal);
    if (ref.revision !== undefined) {
      const answer = await store.manifest(modelId, { signal: deps.world.signal });
      if (answer.state === 'ready') checkRevision(ref, answer.manifest);
    }
    const { selector, files: [first] = [] } = part ?? {};
    const isStaged = await mapConcurrently(
      copies.filter((copy) => copy.modelId === modelId),
      maxOpenFiles,
      async ({ directory }) => first === undefined || (await readFingerprint(join(directory, first))) !== undefined,
    );
    const holders = nodes.filter((node) =>
      node.copies?.some((copy) => copy.model_id === modelId && (selector === undefined || mayHave(copy, selector))),
    );
    models.push({
      model_id: modelId,
      total_bytes: bytes,
      ...part,
      staged: isStaged.includes(true),
      staged_on: holders.map(({ hostname }) => hostname),
      nodes: holders.map(({ node_id, hostname }) => ({ node_id, hostname })),
    });
  }
  return { models, known: nodes };
}

/** Plans the removal of one quantization. */
async function planPart(
  store: Store,
  { modelId, selector }: ModelRef & { readonly selector: string },
  entry: RegistryEntry | undefined,
  signal: AbortSignal,
): Promise<Pick<DeletionPlan['models'][number], 'selector' | 'files' | 'is_last'> & { readonly total_bytes: number }> {
  // Without a manifest only the sizes are less exact: the names show which files belong together.
  const answer = await store.manifest(modelId, { signal }).catch((error: unknown) => {
    if (signal.aborted || entry === undefined) throw error;
    return undefined;
  });
  const files = answer?.state === 'ready' ? answer.manifest.files : (entry?.files ?? []).map((path) => ({ path, size: 0 }));
  const planned = planRemoval(files, selector);
  if ('problem' in planned) throw selectionError(planned.problem, { modelId, where: `in the store at ${store.location}` });
  const { group, isLast } = planned;
  return {
    selector: group.selector,
    files: group.files.map(({ path }) => path),
    is_last: isLast,
    total_bytes: isLast ? (entry?.total_bytes ?? group.sizeBytes) : group.sizeBytes,
  };
}

/** Whether a registered model has lost its directory. Lists do not show such a model. */
async function isOnlyAnEntry(store: Store, modelId: ModelId, signal: AbortSignal): Promise<boolean> {
  try {
    const { models } = await store.verify({ refs: [{ modelId }], repair: false }, { signal });
    return models.some(({ status }) => status === 'missing');
  } catch (error) {
    // A store of another kind may not support this request.
    if (error instanceof SkulkError && (error.code === 'MODEL_NOT_FOUND' || error.code === 'STORE_UNREACHABLE')) return false;
    throw error;
  }
}

const sizesOf = async (store: Store): Promise<ReadonlyMap<ModelId, number>> =>
  new Map((await store.listModels()).map(({ model_id, total_bytes }) => [model_id, total_bytes]));

const stillThere = (modelId: ModelId, location: string): SkulkError =>
  new SkulkError('CONFLICT', `the store at ${location} says that it deleted ${modelId}, but still lists it`, {
    hint: 'see the log of the Python program on the store host',
  });

/**
 * Deletes canonical copies of models, or of single quantizations, and the staged copies of them on every node.
 * @throws SkulkError MODEL_NOT_FOUND, FILE_NOT_FOUND; CONFLICT while a model is being downloaded or hashed; USAGE if the store host can
 * only delete whole models
 */
export async function deleteModels(
  deps: Deps,
  { refs, force, waitMs = usualWaitMs }: { readonly refs: readonly ModelRef[]; readonly force: boolean; readonly waitMs?: number },
): Promise<DeletionReport> {
  await using opened = await openStore(deps);
  const fleet = await opened.fleet();
  const { isConcerned, known } = await findConcerned(fleet);
  // The Python program always reports success, even if it could not delete the model.
  const isPython = opened.url !== undefined && (await isPythonHost(opened));
  const sizes = isPython ? await sizesOf(opened.store) : undefined;
  let canonical = 0;
  const orders: GivenOrder[] = [];
  let failure: unknown;
  const removed: ModelRef[] = [];
  for (const { modelId, selector } of withoutRepeats(refs)) {
    try {
      const change = { action: 'delete', model_id: modelId, selector: selector ?? null } as const;
      const {
        freedBytes,
        order,
        selector: name,
      } = await logUnserved(
        deps,
        opened,
        change,
        () => fleet.remove(modelId, { force, selector }),
        (removal) => ({ freed_bytes: removal.freedBytes }),
      );
      if (sizes !== undefined && (await sizesOf(opened.store)).has(modelId)) throw stillThere(modelId, opened.store.location);
      canonical += sizes?.get(modelId) ?? freedBytes;
      orders.push({ ...order, model_id: modelId });
      removed.push(selector === undefined ? { modelId } : { modelId, selector: name ?? selector });
    } catch (error) {
      if (orders.length === 0) throw error;
      failure = error;
      break;
    }
  }
  const deleted = removed.map(formatRef);
  // The nodes work in parallel, so wait for all of them together.
  const outcomes = await Promise.all(orders.map((order) => awaitNodes(deps, fleet, order, { waitMs, isForAll: true })));
  const concerned = orders.map((order, index) => withoutUnconcerned(outcomes[index] ?? [], order, isConcerned));
  const nodes = mergeOutcomes(concerned);
  if (failure !== undefined) {
    const { message } = failure instanceof Error ? failure : { message: String(failure) };
    throw new SkulkError('PARTIAL', `deleted ${deleted.join(', ')}, then failed: ${message}`, {
      hint: 'run the command again for the rest',
      cause: failure,
    });
  }
  const freed_bytes = canonical + nodes.reduce((sum, { freed_bytes: bytes }) => sum + bytes, 0);
  return {
    deleted,
    removed,
    freed_bytes,
    canonical_bytes: canonical,
    nodes,
    orders: orders.map((order, index) => ({ ...order, nodes: concerned[index] ?? [] })),
    known,
  };
}
