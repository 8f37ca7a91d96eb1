import type { Deps } from '../../connect/deps.ts';
import type { Fleet } from '../../fleet/contract.ts';
import { understoodBy } from '../../fleet/order-book.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';
import { carryOutOrder } from '../../node/carry-out-order.ts';
import { ownNodeId } from '../../node/catch-up.ts';
import { executeOrder, reportCopies } from '../../node/execute-order.ts';
import { knownOrders } from '../../node/known-orders.ts';
import { mayHaveCopy } from '../../protocol/describe/may-have.ts';
import type { GivenOrder, KnownNode, NodeOutcome, Order } from '../../protocol/fleet.ts';

/** How long a command waits for the nodes, in milliseconds. */
export const usualWaitMs = 5_000;

/** The longest time for which a store holds a request for the state of an order, in milliseconds. */
const maxStepMs = 60_000;

/**
 * Carries out the order on this machine, and waits for the other nodes. Inside a server the agent does the first part, if there is one.
 * @param isForAll whether the order includes this machine even if the store does not know it yet
 * @returns the state of the order on each node, including this one if it had something to do
 */
export async function awaitNodes(
  deps: Deps,
  fleet: Fleet,
  order: GivenOrder,
  { waitMs, isForAll }: { readonly waitMs: number; readonly isForAll: boolean },
): Promise<readonly NodeOutcome[]> {
  const { world, config } = deps;
  const own: NodeOutcome[] = [];
  // The Python program gives no orders, so the agent gets none from it.
  if (deps.store === undefined || order.order_id === '') {
    const nodeId = config.nodeId === undefined ? undefined : await ownNodeId(deps);
    const isKnownHere = understoodBy([order], knownOrders).length > 0;
    if (nodeId !== undefined && isKnownHere && order.nodes.some(({ node }) => node === nodeId)) {
      const { freed_bytes } = await executeOrder(deps, fleet, nodeId, order);
      if (freed_bytes > 0) await reportCopies(deps, fleet, nodeId);
    } else if (isForAll && isKnownHere) {
      const outcome = await carryOutOrder(deps, order);
      const hasActed = outcome.freed_bytes > 0 || outcome.status !== 'done';
      if (hasActed) own.push({ node: nodeId ?? (await ownNodeId(deps)), hostname: world.hostname, ...outcome });
    }
  }
  if (order.nodes.length === 0) return own;
  return [...own, ...(await outcomeWithin(fleet, order.order_id, { waitMs, signal: world.signal }))];
}

/** The state of an order on each node, after `waitMs`. A store answers earlier if no more nodes can be waited for. */
async function outcomeWithin(
  fleet: Fleet,
  orderId: string,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<readonly NodeOutcome[]> {
  const until = performance.now() + waitMs;
  for (;;) {
    const began = performance.now();
    const stepMs = Math.min(Math.max(until - began, 0), maxStepMs);
    const { nodes } = await fleet.outcome(orderId, { waitMs: stepMs, signal });
    const isEarly = performance.now() - began < stepMs;
    if (isEarly || performance.now() >= until) return nodes;
  }
}

/** Which of the known nodes an order concerns: those that reported a copy of the model, and those whose copies are unknown. */
export type Concerned = (node: NodeId, what: Pick<Order, 'model_id' | 'selector'>) => boolean;

/** Asks a store which nodes it knows, and which of them have which copies, before the order to remove them. */
export async function findConcerned(fleet: Fleet): Promise<{ readonly isConcerned: Concerned; readonly known: readonly KnownNode[] }> {
  const known = await fleet.nodes().catch(() => []);
  const byId = new Map(known.map((node) => [node.node_id, node]));
  return {
    known,
    isConcerned: (nodeId, what) => {
      const node = byId.get(nodeId);
      return node === undefined || mayHaveCopy(node, what);
    },
  };
}

/**
 * Omits nodes that have not answered and reported no copy: they have nothing to remove. They still get the order, because one may have
 * been cut off before it reported. Pure.
 */
export const withoutUnconcerned = (
  outcomes: readonly NodeOutcome[],
  what: Pick<Order, 'model_id' | 'selector'>,
  isConcerned: Concerned,
): readonly NodeOutcome[] => outcomes.filter(({ node, status }) => status !== 'pending' || isConcerned(node, what));

/** Combines several orders into one line for each node: the worst result, and the total of the freed bytes. */
export function mergeOutcomes(lists: readonly (readonly NodeOutcome[])[]): readonly NodeOutcome[] {
  const merged = new Map<string, NodeOutcome>();
  for (const outcome of lists.flat()) {
    const before = merged.get(outcome.node);
    const worst = before === undefined || rank[outcome.status] > rank[before.status] ? outcome : before;
    merged.set(outcome.node, { ...worst, freed_bytes: outcome.freed_bytes + (before?.freed_bytes ?? 0) });
  }
  return [...merged.values()];
}

const rank = { done: 0, deferred: 1, pending: 2, failed: 3 } as const;
