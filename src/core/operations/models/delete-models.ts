import type { Deps } from '../../connect/deps.ts';
import { isPythonHost } from '../../connect/is-python-host.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { formatRef, type ModelId, type ModelRef, withoutRepeats } from '../../kernel/model-id.ts';
import type { GivenOrder, NodeOutcome } from '../../protocol/fleet.ts';
import type { Store } from '../../store/contract.ts';
import { awaitNodes, findConcerned, mergeOutcomes, usualWaitMs, withoutUnconcerned } from '../nodes/order-everywhere.ts';
import { logUnserved } from '../store/log-change.ts';
import { type DeletionPlan, isIgnored, type OnMissing } from './plan-deletion.ts';

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
  {
    refs,
    force,
    waitMs = usualWaitMs,
    onMissing,
  }: {
    readonly refs: readonly ModelRef[];
    readonly force: boolean;
    readonly waitMs?: number | undefined;
    readonly onMissing?: OnMissing | undefined;
  },
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
      // Somebody else was quicker.
      if (isIgnored(error, { modelId, ...(selector !== undefined && { selector }) }, onMissing)) continue;
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
