import type { ReportedCopy } from '../catalog/reported-copies.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { ModelId } from '../kernel/model-id.ts';

/** What a node says of itself; sizes in bytes. */
export interface NodeReport {
  readonly node_id: NodeId;
  readonly hostname: string;
  readonly version: string;
  /** Whether it keeps a stream open and acts at once; without, it catches up at its next stage. */
  readonly agent: boolean;
  /** Null when it did not look. */
  readonly staged_models: number | null;
  readonly staged_bytes: number | null;
  readonly free_bytes: number | null;
  /** Newest use first, `mostReportedCopies` at most; null also of a node that does not tell. */
  readonly copies: readonly ReportedCopy[] | null;
  /** What idle copies may take together; null when nothing is evicted by itself. */
  readonly budget_bytes: number | null;
}

/** A node that reported at least once. */
export interface KnownNode extends NodeReport {
  /** Where its last report came from; null of the store host itself. */
  readonly address: string | null;
  /** ISO 8601. */
  readonly last_seen: string;
  /** Whether its stream is open now. */
  readonly connected: boolean;
  readonly pending_orders: number;
}

/** `evict`: one model, because it was deleted from the store; `purge`: staged copies go, canonical ones stay. */
export type OrderKind = 'evict' | 'purge';

/** What is to be done, on every node unless some are named. */
export interface OrderRequest {
  readonly kind: OrderKind;
  /** Null: every model; only of a purge. */
  readonly model_id: ModelId | null;
  /** Also what is in use. */
  readonly force: boolean;
  /** Only these. */
  readonly nodes?: readonly NodeId[] | undefined;
}

/** Something that the store asks nodes to do. */
export interface Order extends Omit<OrderRequest, 'nodes'> {
  /** 24 hexadecimal digits; no two orders of any store have the same. */
  readonly order_id: string;
  /** Orders are carried out in this order. */
  readonly seq: number;
  /** ISO 8601. */
  readonly given_at: string;
}

/** What a node did about an order. */
export interface OrderOutcome {
  readonly status: 'done' | 'deferred' | 'failed';
  readonly freed_bytes: number;
  /** Who uses the copy, or what went wrong; null when done. */
  readonly reason: string | null;
}

/** How an order stands on one node. */
export interface NodeOutcome {
  readonly node: NodeId;
  readonly hostname: string;
  readonly status: 'pending' | OrderOutcome['status'];
  readonly freed_bytes: number;
  readonly reason: string | null;
}

/** An order and how it stands on each node that was known when it was given and has not been forgotten. */
export interface GivenOrder extends Order {
  readonly nodes: readonly NodeOutcome[];
}

/** The nodes and orders of a store, on this machine's disk or behind HTTP. */
export interface Fleet {
  /**
   * Makes a node known, or what is known of it newer.
   * @param address where the report came from, when another machine sent it
   * @returns what it still has to do, oldest first
   */
  report(node: NodeReport, options?: { readonly address?: string; readonly signal?: AbortSignal }): Promise<readonly Order[]>;
  /** Whether a node had better report: it has something to do, or is not known. */
  expects(nodeId: NodeId): Promise<boolean>;
  /** What a node still has to do, then every new order as it is given; undefined now and then, as a sign of life. */
  orders(nodeId: NodeId, signal: AbortSignal): AsyncIterable<Order | undefined>;
  /** Takes down what a node did. Throws ORDER_NOT_FOUND for an order that it was not given. */
  acknowledge(nodeId: NodeId, orderId: string, outcome: OrderOutcome): Promise<void>;
  /** Gives an order to every known node, or to those that it names. Throws NODE_NOT_FOUND. */
  give(request: OrderRequest): Promise<GivenOrder>;
  /**
   * Removes a canonical copy and orders every node to evict theirs; a crash in between leaves both or neither.
   * Throws MODEL_NOT_FOUND, CONFLICT.
   */
  remove(modelId: ModelId, options: { readonly force: boolean }): Promise<{ readonly freedBytes: number; readonly order: GivenOrder }>;
  /** How an order stands, once no node that has an agent is pending any more or `waitMs` is over. Throws ORDER_NOT_FOUND. */
  outcome(orderId: string, options: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<GivenOrder>;
  /** The orders that some node has not carried out, oldest first; of very many, the newest. */
  pendingOrders(): Promise<readonly GivenOrder[]>;
  nodes(): Promise<readonly KnownNode[]>;
  /** Drops a node and its orders. Throws NODE_NOT_FOUND. */
  forget(nodeId: NodeId): Promise<void>;
}
