import type { NodeId } from '../kernel/machine/node-id.ts';
import { type NodeOutcome, type Order, type OrderOutcome, quantizationOrders } from '../protocol/fleet.ts';
import type { LogEntry } from '../protocol/order-log.ts';

/** An order and its result on each node; undefined without a result. */
export interface BookedOrder {
  readonly order: Order;
  readonly nodes: Map<NodeId, OrderOutcome | undefined>;
  /** The nodes with a newer order that includes this one, and that order. */
  readonly superseded: Map<NodeId, BookedOrder>;
  isPrepared: boolean;
}

/** Every order in the log. Entries are applied in the order of the log. Does not access the disk. */
export interface OrderBook {
  readonly orders: ReadonlyMap<string, BookedOrder>;
  /** The number of the next order. */
  readonly next: number;
  apply(entry: LogEntry): void;
  /** A node's pending orders, oldest first. */
  openFor(nodeId: NodeId): readonly Order[];
  /** The orders that some node has not carried out, oldest first. */
  pending(): readonly BookedOrder[];
  /** Equivalent entries without finished orders. */
  compact(): readonly LogEntry[];
}

/** How many finished orders are kept, so that their results can be requested. */
const keptWhenOver = 100;

/** An empty book. */
export function createOrderBook(): OrderBook {
  const orders = new Map<string, BookedOrder>();
  let next = 1;
  /** A node gets only the newest of orders that include each other. */
  const supersede = (orderId: string): void => {
    const newer = orders.get(orderId);
    if (newer === undefined) return;
    for (const older of orders.values()) {
      if (older === newer || older.isPrepared || older.order.seq > newer.order.seq || !covers(newer.order, older.order)) continue;
      for (const node of newer.nodes.keys())
        if (older.nodes.has(node) && older.nodes.get(node)?.status !== 'done') older.superseded.set(node, newer);
    }
  };
  return {
    orders,
    get next() {
      return next;
    },
    apply: (entry) => {
      if ('order' in entry) {
        next = Math.max(next, entry.order.seq + 1);
        const nodes = new Map(entry.nodes.map((node) => [node, undefined]));
        orders.set(entry.order.order_id, { order: entry.order, nodes, superseded: new Map(), isPrepared: entry.prepared === true });
        if (entry.prepared !== true) supersede(entry.order.order_id);
      } else if ('commit' in entry) {
        const booked = orders.get(entry.commit);
        if (booked !== undefined) {
          booked.isPrepared = false;
          // Older orders must not be replaced by it, also not when the log is read again.
          orders.delete(entry.commit);
          orders.set(entry.commit, booked);
        }
        supersede(entry.commit);
      } else if ('drop' in entry) orders.delete(entry.drop);
      else if ('ack' in entry) {
        const nodes = orders.get(entry.ack)?.nodes;
        // `done` is final.
        if (nodes?.has(entry.node) === true && nodes.get(entry.node)?.status !== 'done') nodes.set(entry.node, entry.outcome);
      } else if ('forget' in entry) {
        for (const { nodes, superseded } of orders.values()) {
          nodes.delete(entry.forget);
          superseded.delete(entry.forget);
        }
      } else next = Math.max(next, entry.next);
    },
    openFor: (nodeId) =>
      [...orders.values()]
        .filter((booked) => !booked.isPrepared && booked.nodes.has(nodeId) && !isSettled(booked, nodeId))
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
        ...[...orders.values()].flatMap((booked): LogEntry[] => {
          const { order, nodes, isPrepared } = booked;
          const acks = [...nodes.keys()].flatMap((node) => {
            // Also record the result of the newer order here, because that order may be dropped from the log first.
            const outcome = outcomeOn(booked, node);
            return outcome === undefined ? [] : [{ ack: order.order_id, node, outcome }];
          });
          return [{ order, nodes: [...nodes.keys()], ...(isPrepared && { prepared: true as const }) }, ...acks];
        }),
      ];
    },
  };
}

/** Whether a newer order includes everything in an older one. */
const covers = (newer: Order, older: Order): boolean =>
  (newer.force || !older.force) &&
  ((newer.kind === 'purge' && newer.model_id === null) || (newer.model_id !== null && newer.model_id === older.model_id)) &&
  (newer.selector === undefined || newer.selector === older.selector);

/**
 * The orders that a node's program supports: one without support for quantizations would treat such an order as one for the whole model.
 */
export const understoodBy = (orders: readonly Order[], knows: readonly string[] = []): readonly Order[] =>
  orders.filter(({ selector }) => selector === undefined || knows.includes(quantizationOrders));

const isSettled = ({ nodes, superseded }: BookedOrder, node: NodeId): boolean => nodes.get(node)?.status === 'done' || superseded.has(node);

const isOver = (booked: BookedOrder): boolean => [...booked.nodes.keys()].every((node) => isSettled(booked, node));

/** The result of an order on a node, or of the newer order that replaced it. */
function outcomeOn({ nodes, superseded }: BookedOrder, node: NodeId): OrderOutcome | undefined {
  const own = nodes.get(node);
  const newer = superseded.get(node);
  if (own?.status === 'done' || newer === undefined) return own;
  return newer.nodes.has(node) ? outcomeOn(newer, node) : own;
}

/** The state of an order, by node. */
export const outcomesOf = (booked: BookedOrder, hostnameOf: (nodeId: NodeId) => string): readonly NodeOutcome[] =>
  [...booked.nodes.keys()].map((node) => {
    const outcome = outcomeOn(booked, node);
    return {
      node,
      hostname: hostnameOf(node),
      status: outcome?.status ?? 'pending',
      freed_bytes: outcome?.freed_bytes ?? 0,
      reason: outcome?.reason ?? null,
    };
  });

/** Whether an order, or the one that replaced it, is still pending on a node. */
export const isOpenOn = (booked: BookedOrder, node: NodeId): boolean => booked.nodes.has(node) && outcomeOn(booked, node) === undefined;
