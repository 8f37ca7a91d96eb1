import type { NodeId } from '../kernel/machine/node-id.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { GivenOrder, KnownNode, NodeReport, Order, OrderKind, OrderOutcome } from '../protocol/fleet.ts';

/** What is to be done, on every node unless some are named. */
export interface OrderRequest {
  readonly kind: OrderKind;
  /** Null: every model; only of a purge. */
  readonly model_id: ModelId | null;
  /** Only this quantization of the model. */
  readonly selector?: string | undefined;
  /** Also what is in use. */
  readonly force: boolean;
  /** Only these. */
  readonly nodes?: readonly NodeId[] | undefined;
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
  /**
   * What a node still has to do, then every new order as it is given; undefined now and then, as a sign of life.
   * @param knows what whoever listens can do, as in a report: a newer program of that machine may have reported
   */
  orders(nodeId: NodeId, signal: AbortSignal, knows?: readonly string[]): AsyncIterable<Order | undefined>;
  /** Takes down what a node did. Throws ORDER_NOT_FOUND for an order that it was not given. */
  acknowledge(nodeId: NodeId, orderId: string, outcome: OrderOutcome): Promise<void>;
  /** Gives an order to every known node, or to those that it names. Throws NODE_NOT_FOUND. */
  give(request: OrderRequest): Promise<GivenOrder>;
  /**
   * Removes a canonical copy, or one quantization of it, and orders every node to evict theirs; a crash in between leaves both or
   * neither. With the last quantization the model goes.
   * Throws MODEL_NOT_FOUND, CONFLICT; FILE_NOT_FOUND for a quantization that is not there; USAGE where the store can remove only whole models.
   */
  remove(
    modelId: ModelId,
    options: { readonly force: boolean; readonly selector?: string | undefined },
  ): Promise<{ readonly freedBytes: number; readonly order: GivenOrder; readonly selector?: string | undefined }>;
  /** How an order stands, once no node that has an agent is pending any more or `waitMs` is over. Throws ORDER_NOT_FOUND. */
  outcome(orderId: string, options: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<GivenOrder>;
  /** The orders that some node has not carried out, oldest first; of very many, the newest. */
  pendingOrders(): Promise<readonly GivenOrder[]>;
  nodes(): Promise<readonly KnownNode[]>;
  /** Drops a node and its orders. Throws NODE_NOT_FOUND. */
  forget(nodeId: NodeId): Promise<void>;
}
