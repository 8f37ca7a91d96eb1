import type { Fleet } from '../fleet/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { Order, OrderOutcome, OrderProgress } from '../protocol/fleet.ts';

/**
 * Makes the copy that an order names.
 * @returns what became of it; undefined when it is to be tried again later, e.g. because the store is away
 */
export type StageForOrder = (
  order: Order,
  how: { readonly signal: AbortSignal; readonly onProgress: (progress: OrderProgress) => void },
) => Promise<OrderOutcome | undefined>;

/** The options of orders to stage. */
export interface StageOrdersOptions {
  readonly fleet: Pick<Fleet, 'progress' | 'acknowledge'>;
  readonly nodeId: NodeId;
  readonly stage: StageForOrder;
  readonly signal: AbortSignal;
  /** Called when an answer could not be sent. */
  readonly onUnsent: (error: unknown) => void;
  /** How often progress is reported, in milliseconds (1 s). */
  readonly reportEveryMs?: number;
}

/** The running orders to stage of this node. They run in parallel with other orders: a copy takes minutes, and a removal must not wait. */
export interface StageOrders {
  /** Begins an order, unless it runs or is answered already. */
  start(order: Order): void;
  /** Whether a copy of a model is being made, or was made, for an order that was given after another one. */
  isNewerFor(order: Order): boolean;
  /** Settles when everything that runs has ended. */
  ended(): Promise<void>;
}

/** Nothing changed for so many turns: the store is asked all the same whether the work is still wanted. */
const quietTurns = 5;

/** Nothing runs yet. */
export function createStageOrders(options: StageOrdersOptions): StageOrders {
  const { fleet, nodeId, signal, onUnsent } = options;
  const running = new Map<string, { readonly order: Order; readonly work: Promise<void> }>();
  const answered = new Set<string>();
  /** The newest order by which a model was staged, by its number. */
  const made = new Map<string | null, number>();
  const carryOut = async (order: Order): Promise<void> => {
    const outcome = await runReporting(order, options);
    if (outcome === undefined || signal.aborted) return;
    if (outcome.status === 'done') made.set(order.model_id, Math.max(order.seq, made.get(order.model_id) ?? 0));
    await fleet.acknowledge(nodeId, order.order_id, outcome).catch((error: unknown) => {
      // It was withdrawn, or the node was forgotten.
      if (!(error instanceof SkulkError) || error.code !== 'ORDER_NOT_FOUND') throw error;
    });
    if (outcome.status !== 'deferred') answered.add(order.order_id);
  };
  return {
    start: (order) => {
      const { order_id: id } = order;
      if (running.has(id) || answered.has(id) || signal.aborted) return;
      const work = carryOut(order)
        .catch(onUnsent)
        .finally(() => running.delete(id));
      running.set(id, { order, work });
    },
    isNewerFor: ({ model_id, seq }) =>
      (made.get(model_id) ?? 0) > seq ||
      [...running.values()].some(({ order }) => (model_id === null || order.model_id === model_id) && order.seq > seq),
    ended: async () => void (await Promise.all([...running.values()].map(({ work }) => work))),
  };
}

/** Stages, and reports how far it is; a store that does not want it any more ends it. */
async function runReporting(
  order: Order,
  { fleet, nodeId, stage, signal, reportEveryMs = 1_000 }: StageOrdersOptions,
): Promise<OrderOutcome | undefined> {
  const ending = new AbortController();
  let newest: OrderProgress | undefined;
  let sent: OrderProgress | undefined;
  let quiet = 0;
  let isSending = false;
  const report = async (): Promise<void> => {
    quiet += 1;
    if (newest === undefined || isSending || (newest === sent && quiet < quietTurns)) return;
    isSending = true;
    quiet = 0;
    sent = newest;
    // An unreachable store may still want it.
    const isWanted = await fleet.progress(nodeId, order.order_id, newest).catch(() => true);
    isSending = false;
    if (!isWanted) ending.abort(new SkulkError('CANCELLED', 'the store withdrew the order'));
  };
  const timer = setInterval(() => void report(), reportEveryMs);
  try {
    return await stage(order, {
      signal: AbortSignal.any([signal, ending.signal]),
      onProgress: (progress) => {
        newest = progress;
      },
    });
  } catch (error) {
    if (ending.signal.aborted || signal.aborted) return undefined;
    throw error;
  } finally {
    clearInterval(timer);
  }
}
