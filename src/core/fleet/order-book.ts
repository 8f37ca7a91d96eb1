import type { NodeId } from '../kernel/machine/node-id.ts';
import { type NodeOutcome, type Order, type OrderOutcome, quantizationOrders } from '../protocol/fleet.ts';
import type { LogEntry } from '../protocol/order-log.ts';

/** An order and what each node did about it; undefined: nothing yet. */
export interface BookedOrder {
  readonly order: Order;
  readonly nodes: Map<NodeId, OrderOutcome | undefined>;
  /** The nodes of which a newer order asks all that this one does, and that order. */
  readonly superseded: Map<NodeId, BookedOrder>;
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
  /** What a newer order covers is not asked of a node twice. */
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
          // What was ordered before this moment does not take its place, nor may it when the log is read again.
          orders.delete(entry.commit);
          orders.set(entry.commit, booked);
        }
        supersede(entry.commit);
      } else if ('drop' in entry) orders.delete(entry.drop);
      else if ('ack' in entry) {
        const nodes = orders.get(entry.ack)?.nodes;
        // Done is the last word.
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
            // What a newer order did is noted here as well: that one may be left out of the log before this one.
            const outcome = outcomeOn(booked, node);
            return outcome === undefined ? [] : [{ ack: order.order_id, node, outcome }];
          });
          return [{ order, nodes: [...nodes.keys()], ...(isPrepared && { prepared: true as const }) }, ...acks];
        }),
      ];
    },
  };
}

/** Whether a newer order asks at least what an older one asks. */
const covers = (newer: Order, older: Order): boolean =>
  (newer.force || !older.force) &&
  ((newer.kind === 'purge' && newer.model_id === null) || (newer.model_id !== null && newer.model_id === older.model_id)) &&
  (newer.selector === undefined || newer.selector === older.selector);

/** The orders that whoever hears them can carry out: one that does not know of quantizations would take an order for the whole model. */
export const understoodBy = (orders: readonly Order[], knows: readonly string[] = []): readonly Order[] =>
  orders.filter(({ selector }) => selector === undefined || knows.includes(quantizationOrders));

const isSettled = ({ nodes, superseded }: BookedOrder, node: NodeId): boolean => nodes.get(node)?.status === 'done' || superseded.has(node);

const isOver = (booked: BookedOrder): boolean => [...booked.nodes.keys()].every((node) => isSettled(booked, node));

/** What a node did about an order, or about the newer one that took its place. */
function outcomeOn({ nodes, superseded }: BookedOrder, node: NodeId): OrderOutcome | undefined {
  const own = nodes.get(node);
  const newer = superseded.get(node);
  if (own?.status === 'done' || newer === undefined) return own;
  return newer.nodes.has(node) ? outcomeOn(newer, node) : own;
}

/** How an order stands, by node. */
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

/** Whether an order still waits for a node, itself or through the one that took its place. */
export const isOpenOn = (booked: BookedOrder, node: NodeId): boolean => booked.nodes.has(node) && outcomeOn(booked, node) === undefined;
