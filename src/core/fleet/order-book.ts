import type { NodeId } from '../kernel/machine/node-id.ts';
import { type NodeOutcome, type Order, type OrderOutcome, type OrderProgress, quantizationOrders, stageOrders } from '../protocol/fleet.ts';
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
      for (const node of newer.nodes.keys()) if (older.nodes.has(node) && !isAnswered(older, node)) older.superseded.set(node, newer);
    }
  };
  /** A deferred removal must not remove a copy that was ordered and made later. */
  const supersedeRemovals = (made: BookedOrder, node: NodeId): void => {
    for (const older of orders.values()) {
      const { order, nodes } = older;
      const isOlderRemoval = order.kind !== 'stage' && order.seq < made.order.seq && order.model_id === made.order.model_id;
      if (isOlderRemoval && !older.isPrepared && nodes.has(node) && !isAnswered(older, node)) older.superseded.set(node, made);
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
        const booked = orders.get(entry.ack);
        // A final result never changes.
        if (booked?.nodes.has(entry.node) !== true || isAnswered(booked, entry.node)) return;
        booked.nodes.set(entry.node, entry.outcome);
        if (booked.order.kind === 'stage' && entry.outcome.status === 'done') supersedeRemovals(booked, entry.node);
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
            if (outcome === undefined) return [];
            // As when the log is read again: a node that answers late must not be recorded twice.
            nodes.set(node, outcome);
            return [{ ack: order.order_id, node, outcome }];
          });
          return [{ order, nodes: [...nodes.keys()], ...(isPrepared && { prepared: true as const }) }, ...acks];
        }),
      ];
    },
  };
}

/** Whether a newer order includes everything in an older one. */
const covers = (newer: Order, older: Order): boolean =>
  newer.kind === 'stage' ? stagesTheSame(newer, older) : removesTheSame(newer, older);

const stagesTheSame = (newer: Order, older: Order): boolean =>
  older.kind === 'stage' &&
  newer.model_id === older.model_id &&
  newer.selector === older.selector &&
  newer.revision === older.revision &&
  (newer.keep_ms ?? 0) >= (older.keep_ms ?? 0);

const removesTheSame = (newer: Order, older: Order): boolean =>
  (newer.force || !older.force) &&
  ((newer.kind === 'purge' && newer.model_id === null) || (newer.model_id !== null && newer.model_id === older.model_id)) &&
  (newer.selector === undefined || newer.selector === older.selector);

/**
 * The orders that a node's program supports: one without support for quantizations would treat such an order as one for the whole model.
 */
export const understoodBy = <O extends Order>(orders: readonly O[], knows: readonly string[] = []): readonly O[] =>
  orders.filter(
    ({ kind, selector }) =>
      (kind !== 'stage' || knows.includes(stageOrders)) && (selector === undefined || knows.includes(quantizationOrders)),
  );

/** Whether the result on a node is final: a removal is repeated until it is done, a failed stage is not. */
export const isFinal = ({ kind }: Pick<Order, 'kind'>, outcome: OrderOutcome | undefined): boolean =>
  outcome?.status === 'done' || (kind === 'stage' && outcome?.status === 'failed');

const isAnswered = ({ order, nodes }: BookedOrder, node: NodeId): boolean => isFinal(order, nodes.get(node));

const isSettled = (booked: BookedOrder, node: NodeId): boolean => isAnswered(booked, node) || booked.superseded.has(node);

/** Whether a node should continue with an order: it has no final result, and was not replaced, or only by the same order. */
export function isWanted(booked: BookedOrder, node: NodeId): boolean {
  const newer = booked.superseded.get(node);
  return newer === undefined ? booked.nodes.has(node) && !isAnswered(booked, node) : newer.order.kind === 'stage' && isWanted(newer, node);
}

const isOver = (booked: BookedOrder): boolean => [...booked.nodes.keys()].every((node) => isSettled(booked, node));

/** The result of an order on a node, or of the newer order that replaced it. */
function outcomeOn(booked: BookedOrder, node: NodeId): OrderOutcome | undefined {
  const own = booked.nodes.get(node);
  const newer = booked.superseded.get(node);
  if (isAnswered(booked, node) || newer === undefined) return own;
  if (!newer.nodes.has(node)) return own;
  if (booked.order.kind === 'stage' && newer.order.kind !== 'stage') return withdrawn;
  return outcomeOn(newer, node);
}

/** The result of an order to stage that a newer removal replaced. */
const withdrawn: OrderOutcome = { status: 'failed', freed_bytes: 0, reason: 'a newer order removes the copy' };

/** The facts about a node beside its results. */
export interface OutcomeFacts {
  readonly hostnameOf: (nodeId: NodeId) => string;
  /** The progress of an order to stage. */
  readonly progressOf?: (orderId: string, nodeId: NodeId) => OrderProgress | undefined;
  /** Whether it can be reached now. */
  readonly isAwaited?: (booked: BookedOrder, nodeId: NodeId) => boolean;
  /** Why a node may answer late, as far as it reported. */
  readonly whyPending?: (booked: BookedOrder, nodeId: NodeId) => string | undefined;
}

/** The state of an order, by node. */
export const outcomesOf = (booked: BookedOrder, { hostnameOf, progressOf, isAwaited, whyPending }: OutcomeFacts): readonly NodeOutcome[] =>
  [...booked.nodes.keys()].map((node) => {
    const outcome = outcomeOn(booked, node);
    const isOpenStage = booked.order.kind === 'stage' && !isFinal(booked.order, outcome);
    const progress = isOpenStage ? progressOf?.(newestOf(booked, node).order.order_id, node) : undefined;
    return {
      node,
      hostname: hostnameOf(node),
      status: outcome?.status ?? 'pending',
      freed_bytes: outcome?.freed_bytes ?? 0,
      ...(outcome?.bytes_transferred !== undefined && { bytes_transferred: outcome.bytes_transferred }),
      reason: outcome === undefined ? (whyPending?.(booked, node) ?? null) : outcome.reason,
      ...(progress !== undefined && { progress }),
      ...(isOpenStage && isAwaited !== undefined && { awaited: isAwaited(booked, node) }),
    };
  });

/** The order that replaced this one on a node, or this one. */
function newestOf(booked: BookedOrder, node: NodeId): BookedOrder {
  const newer = booked.superseded.get(node);
  return newer === undefined ? booked : newestOf(newer, node);
}

/** Whether an order, or the one that replaced it, is still pending on a node. */
export const isOpenOn = (booked: BookedOrder, node: NodeId): boolean => booked.nodes.has(node) && outcomeOn(booked, node) === undefined;
