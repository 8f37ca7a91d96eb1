import type { NodeId } from '../kernel/machine/node-id.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { GivenOrder, KnownNode, NodeReport, Order, OrderKind, OrderOutcome, OrderProgress } from '../protocol/fleet.ts';

/** The request of an order, for every node unless some are named. */
export interface OrderRequest {
  readonly kind: OrderKind;
  /** Null means every model; only for a purge. */
  readonly model_id: ModelId | null;
  /** Only this quantization of the model. */
  readonly selector?: string | undefined;
  /** Only for a stage: this revision. */
  readonly revision?: string | undefined;
  /** Only for a stage: how long the finished copy stays in use, in milliseconds. */
  readonly keep_ms?: number | undefined;
  /** Also copies in use. */
  readonly force: boolean;
  /** Only these nodes. */
  readonly nodes?: readonly NodeId[] | undefined;
}

/** The nodes and orders of a store, on this machine's disk or behind HTTP. */
export interface Fleet {
  /**
   * Registers a node, or updates its data. A node that neither has an agent nor says what it has staged does not become known.
   * @param address the source of the report, if another machine sent it
   * @param isPatient whether a failure may take another request, which shows that the store is the Python program
   * @returns its pending orders, oldest first
   */
  report(
    node: NodeReport,
    options?: { readonly address?: string; readonly signal?: AbortSignal; readonly isPatient?: boolean },
  ): Promise<readonly Order[]>;
  /** Whether a node should report: it has pending orders, or is unknown. */
  expects(nodeId: NodeId): Promise<boolean>;
  /**
   * The pending orders of a node, then every new order; undefined at intervals, as a heartbeat.
   * @param knows the capabilities of the listening program, as in a report: a newer program of that machine may have reported
   */
  orders(nodeId: NodeId, signal: AbortSignal, knows?: readonly string[]): AsyncIterable<Order | undefined>;
  /** Records the result on a node. Throws ORDER_NOT_FOUND for an order that it was not given. */
  acknowledge(nodeId: NodeId, orderId: string, outcome: OrderOutcome): Promise<void>;
  /**
   * Records the progress of an order to stage on a node, until the server ends.
   * @returns whether the order is still open for that node
   */
  progress(nodeId: NodeId, orderId: string, progress: OrderProgress): Promise<boolean>;
  /**
   * Withdraws an order to stage: nodes that carry it out stop, and finished copies stay.
   * Throws ORDER_NOT_FOUND; CONFLICT for an order of another kind.
   */
  withdraw(orderId: string): Promise<GivenOrder>;
  /** Gives an order to every known node, or to the named ones. Throws NODE_NOT_FOUND. */
  give(request: OrderRequest): Promise<GivenOrder>;
  /**
   * Deletes a canonical copy, or one quantization of it, and orders every node to evict theirs. A crash in between leaves both or
   * neither. Without any quantization left, the model is deleted. Throws MODEL_NOT_FOUND, CONFLICT; FILE_NOT_FOUND for an unknown
   * quantization; USAGE if the store can only delete whole models.
   */
  remove(
    modelId: ModelId,
    options: { readonly force: boolean; readonly selector?: string | undefined },
  ): Promise<{ readonly freedBytes: number; readonly order: GivenOrder; readonly selector?: string | undefined }>;
  /** The state of an order, after all nodes with an agent have finished, or after `waitMs`. Throws ORDER_NOT_FOUND. */
  outcome(orderId: string, options: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<GivenOrder>;
  /** The orders that some node has not carried out, oldest first. If there are too many, only the newest. */
  pendingOrders(): Promise<readonly GivenOrder[]>;
  nodes(): Promise<readonly KnownNode[]>;
  /** Removes a node and its orders. Throws NODE_NOT_FOUND. */
  forget(nodeId: NodeId): Promise<void>;
}
