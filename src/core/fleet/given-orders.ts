import { SkulkError } from '../kernel/errors.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import { usesCopy } from '../protocol/describe/may-have.ts';
import type { GivenOrder } from '../protocol/fleet.ts';
import type { Fleet } from './contract.ts';
import type { FleetState } from './fleet-state.ts';
import { type BookedOrder, isOpenOn, outcomesOf, understoodBy } from './order-book.ts';

/** The size limit of the list of pending orders: the sum of orders times nodes. */
const maxOutcomes = 5_000;
/** An agent that reported within this time may answer at once, in milliseconds. Agents report every 30 s. */
const agentFreshMs = 90_000;

/** Finds a committed order. Throws ORDER_NOT_FOUND. */
export function findOrder({ book }: FleetState, orderId: string): BookedOrder {
  const booked = book.orders.get(orderId);
  if (booked !== undefined && !booked.isPrepared) return booked;
  throw new SkulkError('ORDER_NOT_FOUND', `there is no order ${orderId.slice(0, 24)}`, { hint: '`skulk nodes` lists pending orders' });
}

/** An order with its result on each node. */
export const describeOrder = (state: FleetState, booked: BookedOrder): GivenOrder => ({
  ...booked.order,
  nodes: outcomesOf(booked, {
    hostnameOf: (nodeId) => state.nodes.get(nodeId)?.hostname ?? '',
    progressOf: (orderId, nodeId) => state.progress.get(orderId)?.get(nodeId),
    isAwaited: (one, nodeId) => state.isServer && mayAnswer(state, one, nodeId),
    whyPending: ({ order }, nodeId) => {
      const node = state.nodes.get(nodeId);
      return order.kind !== 'stage' && !order.force && node !== undefined && usesCopy(node, order)
        ? 'in use at its last report'
        : undefined;
    },
  }),
});

/** The part of a fleet that reports the results of orders. */
export function createOrderReports(state: FleetState): Pick<Fleet, 'outcome' | 'pendingOrders' | 'expects'> {
  return {
    expects: async (nodeId) => {
      await state.ready();
      const node = state.nodes.get(nodeId);
      // A command does not also stage what its user did not name; the node's agent does.
      const asked = state.book.openFor(nodeId).filter(({ kind }) => kind !== 'stage');
      return node === undefined || understoodBy(asked, node.knows).length > 0;
    },
    outcome: async (orderId, { waitMs, signal }) => {
      await state.ready();
      const until = performance.now() + waitMs;
      for (;;) {
        const booked = findOrder(state, orderId);
        const left = until - performance.now();
        if (left <= 0 || signal.aborted || !isAwaited(state, booked)) return describeOrder(state, booked);
        await nextChange(state, left, signal);
      }
    },
    pendingOrders: async () => {
      await state.ready();
      const pending: GivenOrder[] = [];
      let outcomes = 0;
      for (const booked of state.book.pending().toReversed()) {
        outcomes += booked.nodes.size;
        if (pending.length > 0 && outcomes > maxOutcomes) break;
        pending.push(describeOrder(state, booked));
      }
      return pending.toReversed();
    },
  };
}

/** Whether an answer may come soon. A node without an agent answers at its next command, and no node can reach a store without a server. */
const isAwaited = (state: FleetState, booked: BookedOrder): boolean =>
  state.isServer && [...booked.nodes.keys()].some((nodeId) => isOpenOn(booked, nodeId) && mayAnswer(state, booked, nodeId));

function mayAnswer({ nodes, now, watchers }: FleetState, { order }: BookedOrder, nodeId: NodeId): boolean {
  const record = nodes.get(nodeId);
  if (understoodBy([order], record?.knows).length === 0) return false;
  const isFresh = record?.agent === true && now().getTime() - Date.parse(record.last_seen) < agentFreshMs;
  return watchers.has(nodeId) || isFresh;
}

async function nextChange(state: FleetState, withinMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, withinMs);
    const stop = state.onChange(done);
    signal.addEventListener('abort', done);
  });
}
