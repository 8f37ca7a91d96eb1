import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';
import { storeAddress } from '../../protocol/describe/store-address.ts';
import type { GivenOrder, NodeList } from '../../protocol/fleet.ts';
import type { SwarmList } from '../../protocol/staging.ts';
import { logUnserved } from '../store/log-change.ts';
import { findNodes } from './find-nodes.ts';

/** Lists all nodes that reported to the store, by hostname, and the orders that some have not carried out, oldest first. */
export async function listNodes(deps: Deps): Promise<NodeList> {
  await using opened = await openStore(deps);
  const fleet = await opened.fleet();
  const [nodes, orders] = await Promise.all([fleet.nodes(), fleet.pendingOrders()]);
  return { nodes: nodes.toSorted((a, b) => a.hostname.localeCompare(b.hostname) || a.node_id.localeCompare(b.node_id)), orders };
}

/** The same with the address of the store host, which has none in the list; see `storeAddress`. */
export async function listNodesAndStore(deps: Deps): Promise<NodeList & { readonly store_address: string | null }> {
  await using opened = await openStore(deps);
  const list = await listNodes(deps);
  // Only now, because a store that gets no token must get no request either.
  const health = await opened.store.health().catch(() => null);
  return { ...list, store_address: storeAddress(opened.store.location, health) };
}

/** A model that nodes share. */
export type Swarm = SwarmList['swarms'][number];

/** The models that nodes share now; none for a store that does not report them. */
export async function listSwarms(deps: Deps): Promise<readonly Swarm[]> {
  await using opened = await openStore(deps);
  // An older store, or the Python program, has no such list.
  const { swarms } = (await opened.swarms?.().catch(() => undefined)) ?? { swarms: [] };
  return swarms.filter(({ ended_at, members }) => ended_at === null && members > 1);
}

/** The store's orders that some node has not carried out, oldest first. */
export async function listOrders(deps: Deps): Promise<{ readonly orders: readonly GivenOrder[] }> {
  await using opened = await openStore(deps);
  return { orders: await (await opened.fleet()).pendingOrders() };
}

/** How an order stands, once no node that can be reached is pending any more or `waitMs` is over. @throws SkulkError ORDER_NOT_FOUND */
export async function showOrder(
  deps: Deps,
  { orderId, waitMs }: { readonly orderId: string; readonly waitMs: number },
): Promise<GivenOrder> {
  await using opened = await openStore(deps);
  return await (await opened.fleet()).outcome(orderId, { waitMs, signal: deps.world.signal });
}

/** Withdraws an order to stage. @throws SkulkError ORDER_NOT_FOUND, CONFLICT for an order of another kind */
export async function withdrawOrder(deps: Deps, { orderId }: { readonly orderId: string }): Promise<GivenOrder> {
  await using opened = await openStore(deps);
  const fleet = await opened.fleet();
  return await logUnserved(deps, opened, { action: 'cancel-order' }, () => fleet.withdraw(orderId));
}

/**
 * Removes a node that is gone, and its pending orders. It appears again when it reports.
 * @param name its id, or a unique hostname
 * @throws SkulkError NODE_NOT_FOUND, BAD_REQUEST for a hostname of several nodes
 */
export async function forgetNode(deps: Deps, { name }: { readonly name: NodeId }): Promise<{ readonly forgotten: NodeId }> {
  await using opened = await openStore(deps);
  const fleet = await opened.fleet();
  const [nodeId = name] = await findNodes(fleet, [name]);
  await logUnserved(deps, opened, { action: 'forget-node', target: nodeId }, () => fleet.forget(nodeId));
  return { forgotten: nodeId };
}
