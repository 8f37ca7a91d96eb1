import type { NodeId } from '../kernel/node-id.ts';
import type { NodeOutcome, Order, OrderOutcome } from './contract.ts';
import type { LogEntry } from './order-log.ts';

/** An order and what each node did about it; undefined: nothing yet. */
export interface BookedOrder {
  readonly order: Order;
  readonly nodes: Map<NodeId, OrderOutcome | undefined>;
  isPrepared: boolean;
}

/** Every order that the log knows. Entries are applied in the order of the log; nothing here touches a disk. */
export interface OrderBook {
  readonly orders: ReadonlyMap<string, BookedOrder>;
  /** The number of the next order. */
  readonly next: number;
  apply(entry: LogEntry): void;
  /** What a node still has to do, oldest first. */
  openFor(nodeId: NodeId): readonly Order[];
  /** The orders that some node has not done, oldest first. */
  pending(): readonly BookedOrder[];
  /** The entries that say the same as all that were applied, without what is over. */
  compact(): readonly LogEntry[];
}

/** So many orders that are over stay, so that somebody can ask what became of them. */
const keptWhenOver = 100;

/** An empty book. */
export function createOrderBook(): OrderBook {
  const orders = new Map<string, BookedOrder>();
  let next = 1;
  return {
    orders,
    get next() {
      return next;
    },
    apply: (entry) => {
      if ('order' in entry) {
        next = Math.max(next, entry.order.seq + 1);
        const nodes = new Map(entry.nodes.map((node) => [node, undefined]));
        orders.set(entry.order.order_id, { order: entry.order, nodes, isPrepared: entry.prepared === true });
      } else if ('commit' in entry) {
        const booked = orders.get(entry.commit);
        if (booked !== undefined) booked.isPrepared = false;
      } else if ('drop' in entry) orders.delete(entry.drop);
      else if ('ack' in entry) {
        const nodes = orders.get(entry.ack)?.nodes;
        // Done is the last word.
        if (nodes?.has(entry.node) === true && nodes.get(entry.node)?.status !== 'done') nodes.set(entry.node, entry.outcome);
      } else if ('forget' in entry) for (const { nodes } of orders.values()) nodes.delete(entry.forget);
      else next = Math.max(next, entry.next);
    },
    openFor: (nodeId) =>
      [...orders.values()]
        .filter(({ nodes, isPrepared }) => !isPrepared && nodes.has(nodeId) && nodes.get(nodeId)?.status !== 'done')
        .map(({ order }) => order)
        .toSorted((a, b) => a.seq - b.seq),
    pending: () =>
      [...orders.values()].filter((booked) => !booked.isPrepared && !isOver(booked)).toSorted((a, b) => a.order.seq - b.order.seq),
    compact: () => {
      const all = [...orders.values()].filter(({ isPrepared }) => !isPrepared);
      const over = new Set(all.filter(isOver).toReversed().slice(keptWhenOver));
      for (const { order } of over) orders.delete(order.order_id);
      return [
        { next },
        ...[...orders.values()].flatMap(({ order, nodes, isPrepared }): LogEntry[] => [
          { order, nodes: [...nodes.keys()], ...(isPrepared && { prepared: true }) },
          ...[...nodes].flatMap(([node, outcome]) => (outcome === undefined ? [] : [{ ack: order.order_id, node, outcome }])),
        ]),
      ];
    },
  };
}

const isOver = ({ nodes }: BookedOrder): boolean => [...nodes.values()].every((outcome) => outcome?.status === 'done');

/** How an order stands, by node. */
export const outcomesOf = ({ nodes }: BookedOrder, hostnameOf: (nodeId: NodeId) => string): readonly NodeOutcome[] =>
  [...nodes].map(([node, outcome]) => ({
    node,
    hostname: hostnameOf(node),
    status: outcome?.status ?? 'pending',
    freed_bytes: outcome?.freed_bytes ?? 0,
    reason: outcome?.reason ?? null,
  }));
