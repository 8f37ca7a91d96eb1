import type { GivenOrder, KnownNode } from '../fleet/contract.ts';
import type { NodeId } from '../kernel/node-id.ts';
import type { Deps } from './deps.ts';
import { openStore } from './open-store.ts';

/** Every node that reported to the store, by hostname. */
export async function listNodes(deps: Deps): Promise<{ readonly nodes: readonly KnownNode[] }> {
  await using opened = await openStore(deps);
  const nodes = await (await opened.fleet()).nodes();
  return { nodes: nodes.toSorted((a, b) => a.hostname.localeCompare(b.hostname) || a.node_id.localeCompare(b.node_id)) };
}

/** What the store asked and some node has not done, oldest first. */
export async function listOrders(deps: Deps): Promise<{ readonly orders: readonly GivenOrder[] }> {
  await using opened = await openStore(deps);
  return { orders: await (await opened.fleet()).pendingOrders() };
}

/**
 * Drops a node that is gone, and what it still had to do. It becomes known again when it reports.
 * @throws SkulkError NODE_NOT_FOUND
 */
export async function forgetNode(deps: Deps, { nodeId }: { readonly nodeId: NodeId }): Promise<{ readonly forgotten: NodeId }> {
  await using opened = await openStore(deps);
  await (await opened.fleet()).forget(nodeId);
  return { forgotten: nodeId };
}
