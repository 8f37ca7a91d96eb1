import { randomBytes } from 'node:crypto';
import { isDiskFull, SkulkError } from '../kernel/errors.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Order, OrderOutcome } from '../protocol/fleet.ts';
import type { Fleet, OrderRequest } from './contract.ts';
import type { FleetState } from './fleet-state.ts';
import { describeOrder, findOrder } from './given-orders.ts';
import { unknownNode } from './known-nodes.ts';
import { isFinal, isWanted } from './order-book.ts';

/** The maximum number of pending orders. Beyond it, the oldest are dropped. */
const maxPending = 2_000;

/** The part of a fleet that gives orders and records their results. */
export function createOrderGiver(state: FleetState): Pick<Fleet, 'give' | 'remove' | 'acknowledge' | 'progress' | 'withdraw'> {
  return {
    give: (request) =>
      state.change(async () => {
        await boundOrders(state);
        const order = makeOrder(state, request);
        await state.write({ order, nodes: addressees(state, request.nodes) });
        state.watchers.wakeAll();
        return describeOrder(state, findOrder(state, order.order_id));
      }),
    remove: async (modelId, { force, selector }) => removeEverywhere(state, await planRemoval(state, modelId, { force, selector })),
    acknowledge: (nodeId, orderId, outcome) =>
      state.change(async () => {
        const { nodes: asked, order } = findOrder(state, orderId);
        if (!asked.has(nodeId))
          throw new SkulkError('ORDER_NOT_FOUND', `the order ${orderId} was not sent to ${nodeId}`, {
            hint: 'the store may have forgotten this node',
          });
        const before = asked.get(nodeId);
        if (isFinal(order, before) || isSame(before, outcome)) return;
        await state.write({ ack: orderId, node: nodeId, outcome });
        if (isFinal(order, outcome)) dropProgress(state, orderId, nodeId);
      }),
    progress: async (nodeId, orderId, progress) => {
      await state.ready();
      const booked = state.book.orders.get(orderId);
      if (booked === undefined || booked.isPrepared || booked.order.kind !== 'stage' || !isWanted(booked, nodeId)) {
        dropProgress(state, orderId, nodeId);
        return false;
      }
      const ofOrder = state.progress.get(orderId) ?? new Map();
      state.progress.set(orderId, ofOrder);
      ofOrder.set(nodeId, progress);
      return true;
    },
    withdraw: (orderId) =>
      state.change(async () => {
        const booked = findOrder(state, orderId);
        if (booked.order.kind !== 'stage')
          throw new SkulkError('CONFLICT', 'only an order to stage can be withdrawn', {
            hint: 'a model that was deleted must not come back on a node that was away',
          });
        const withdrawn = describeOrder(state, booked);
        await state.write({ drop: orderId });
        state.progress.delete(orderId);
        return withdrawn;
      }),
  };
}

/** A removal from the store, and the order to the nodes that follows. */
interface Removal {
  readonly request: OrderRequest;
  /** The quantization as named by the store, if one was selected. */
  readonly selector?: string;
  /** Removes it from the store. */
  remove(): Promise<{ readonly freedBytes: number }>;
  /** Whether the store still has it. */
  isThere(): Promise<boolean>;
}

async function planRemoval(
  { store }: FleetState,
  modelId: ModelId,
  { force, selector }: { readonly force: boolean; readonly selector?: string | undefined },
): Promise<Removal> {
  const whole = { kind: 'evict', model_id: modelId, force } as const;
  if (selector === undefined) return { request: whole, remove: () => store.remove(modelId, { force }), isThere: () => store.has(modelId) };
  const planned = await store.planRemoval(modelId, selector);
  return {
    // Without its last quantization the model is gone, and nodes of every version support that order.
    request: planned.isLast ? whole : { ...whole, selector: planned.selector },
    selector: planned.selector,
    remove: () => store.removeQuantization(modelId, { ...planned, force }),
    isThere: () => store.has(modelId, planned.isLast ? undefined : planned.selector),
  };
}

/** Removes from the store, and orders every node to evict. The order is prepared first, and takes effect after the removal. */
async function removeEverywhere(state: FleetState, { request, selector, remove, isThere }: Removal): ReturnType<Fleet['remove']> {
  await state.ready();
  const draw = () => ({ order: makeOrder(state, request), nodes: [...state.nodes.keys()] });
  let entry = draw();
  // There is no node to notify.
  if (entry.nodes.length === 0) return { freedBytes: (await remove()).freedBytes, order: { ...entry.order, nodes: [] }, selector };
  const prepare = state.change(async () => {
    await boundOrders(state);
    entry = draw();
    await state.write({ ...entry, prepared: true });
  });
  // On a full disk, there is only space to record it after the model is gone.
  const isPrepared = await fits(prepare);
  try {
    const { freedBytes } = await remove();
    return await state.change(async () => {
      const { order } = entry;
      await state.write(isPrepared ? { commit: order.order_id } : entry);
      state.watchers.wakeAll();
      return { freedBytes, order: describeOrder(state, findOrder(state, order.order_id)), selector };
    });
  } catch (error) {
    // If the store could not finish it, it will do so later, and the next server sees the result. So it does after an error of the disk.
    const isUndecided = !(await isThere().catch(() => false)) && !isMissing(error);
    if (isPrepared && !isUndecided) await state.change(() => state.write({ drop: entry.order.order_id }));
    throw error;
  }
}

/** Removes the progress of a node that finished an order. */
function dropProgress({ progress }: FleetState, orderId: string, nodeId: NodeId): void {
  const ofOrder = progress.get(orderId);
  ofOrder?.delete(nodeId);
  if (ofOrder?.size === 0) progress.delete(orderId);
}

const makeOrder = ({ book, now }: FleetState, { kind, model_id, selector, revision, keep_ms, force }: OrderRequest): Order => ({
  kind,
  model_id,
  ...(selector !== undefined && { selector }),
  ...(revision !== undefined && { revision }),
  ...(keep_ms !== undefined && { keep_ms }),
  force,
  order_id: randomBytes(12).toString('hex'),
  seq: book.next,
  given_at: now().toISOString(),
});

function addressees({ nodes }: FleetState, named: readonly NodeId[] | undefined): readonly NodeId[] {
  const stranger = named?.find((nodeId) => !nodes.has(nodeId));
  if (stranger !== undefined) throw unknownNode(stranger);
  return named === undefined ? [...nodes.keys()] : [...new Set(named)];
}

/** Drops the oldest orders if there are too many: the budget of a node evicts such copies later. Inside a change. */
async function boundOrders(state: FleetState): Promise<void> {
  const pending = state.book.pending();
  const tooMany = pending.slice(0, Math.max(0, pending.length - maxPending + 1));
  if (tooMany.length > 0) await state.write(...tooMany.map(({ order }) => ({ drop: order.order_id })));
}

/** Whether a write succeeded; a full disk is not an error here. */
async function fits(writing: Promise<void>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (isDiskFull(error)) return false;
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof SkulkError && (error.code === 'MODEL_NOT_FOUND' || error.code === 'FILE_NOT_FOUND');

const isSame = (before: OrderOutcome | undefined, outcome: OrderOutcome): boolean =>
  before !== undefined && JSON.stringify(before) === JSON.stringify(outcome);
