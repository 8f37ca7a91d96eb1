import type { Fleet } from '../fleet/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import { reasonOf } from '../kernel/explain-system-error.ts';
import { backoffDelay, pause, type RetryPolicy } from '../kernel/flow/backoff.ts';
import type { Emit } from '../kernel/flow/events.ts';
import { createSerialQueue } from '../kernel/flow/serial-queue.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { NodeReport, Order, OrderOutcome } from '../protocol/fleet.ts';
import { knownOrders } from './known-orders.ts';
import { createStageOrders, type StageForOrder } from './stage-orders.ts';

/** The options of an agent. Times are in milliseconds. */
export interface AgentOptions {
  readonly fleet: Pick<Fleet, 'report' | 'orders' | 'acknowledge' | 'progress'>;
  readonly nodeId: NodeId;
  readonly report: () => Promise<NodeReport>;
  /** Carries out an order, or returns its earlier result. */
  readonly carryOut: (order: Order) => Promise<OrderOutcome>;
  /** Carries out an order to stage, in parallel with other orders. */
  readonly stage: StageForOrder;
  /** Removes the saved result of an order after the store has received it. */
  readonly settled: (order: Order) => Promise<void>;
  readonly signal: AbortSignal;
  readonly emit: Emit;
  /** Calls a listener when the node's report may have changed. The returned function removes it. */
  readonly onChange?: (listener: () => void) => () => void;
  /** How often copies in use are retried (2 s). */
  readonly retryEveryMs?: number;
  /** How often the node reports (30 s). */
  readonly reportEveryMs?: number;
  /** The delay of a report after a change (1 s). */
  readonly reportSoonMs?: number;
}

const reconnecting: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, firstDelayMs: 200, maxDelayMs: 15_000 };

/** Carries out orders as they are given, until the signal aborts. A lost connection is restored, and no order is lost. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { fleet, nodeId, signal, emit, retryEveryMs = 2_000, reportEveryMs = 30_000, reportSoonMs = 1_000 } = options;
  /** Orders without an acknowledged result: copies in use, failures, lost answers. */
  const open = new Map<string, Order>();
  /** Runs one order at a time, whatever answer it came with. */
  const turns = createSerialQueue();
  const inTurn = turns.run;
  const warn = (error: unknown): void => {
    if (!signal.aborted && !isLost) emit({ type: 'warning', message: `cannot report the result of an order: ${reasonOf(error)}` });
  };
  let isLost = false;
  /** Each reason is reported once: it may change, e.g. from an unreachable host to a wrong token. */
  const warned = new Set<string>();
  /** Acknowledged orders; a list that was sent earlier may still contain them. */
  const finished = new Set<string>();
  const stages = createStageOrders({ fleet, nodeId, stage: options.stage, signal, onUnsent: warn });
  let soon: NodeJS.Timeout | undefined;
  const reportSoon = (): void => {
    if (signal.aborted) return;
    soon ??= setTimeout(() => {
      soon = undefined;
      void inTurn(report).catch(warn);
    }, reportSoonMs);
  };
  const handle = async (order: Order): Promise<void> => {
    if (order.kind === 'stage') return stages.start(order);
    // A deferred removal must not remove the copy that was ordered later.
    if (finished.has(order.order_id) || stages.isNewerFor(order)) return;
    open.set(order.order_id, order);
    const outcome = await options.carryOut(order);
    await fleet.acknowledge(nodeId, order.order_id, outcome).catch((error: unknown) => {
      // The order no longer exists, because the node was removed in the meantime.
      if (!(error instanceof SkulkError) || error.code !== 'ORDER_NOT_FOUND') throw error;
    });
    if (outcome.status !== 'done') return;
    open.delete(order.order_id);
    finished.add(order.order_id);
    await options.settled(order);
    // The removal of one quantization changes nothing in the directory of the copies, so that nothing else causes a report.
    reportSoon();
  };
  const retry = setInterval(() => {
    const again = async (): Promise<void> => {
      for (const order of [...open.values()]) await handle(order);
    };
    if (open.size > 0) void inTurn(again).catch(warn);
  }, retryEveryMs);
  // The answer also lists pending orders, for a node behind a proxy that buffers streams.
  const report = async (): Promise<void> => {
    for (const order of await fleet.report(await options.report(), { signal, isPatient: true })) await handle(order);
  };
  const reporting = setInterval(() => void inTurn(report).catch(warn), reportEveryMs);
  const ignoreChanges = options.onChange?.(reportSoon);
  try {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        await inTurn(report);
        for await (const order of fleet.orders(nodeId, signal, knownOrders)) {
          if (isLost) emit({ type: 'note', message: 'connected to the store again' });
          isLost = false;
          warned.clear();
          attempt = 1;
          if (order !== undefined) await inTurn(() => handle(order)).catch(warn);
        }
      } catch (error) {
        if (signal.aborted) break;
        const why = reasonOf(error);
        if (!warned.has(why)) emit({ type: 'warning', message: `cannot receive orders: ${why}` });
        warned.add(why);
        isLost = true;
      }
      await pause(backoffDelay(reconnecting, Math.min(attempt, 10)), signal).catch(() => undefined);
    }
  } finally {
    clearInterval(retry);
    clearInterval(reporting);
    ignoreChanges?.();
    clearTimeout(soon);
    await turns.idle();
    await stages.ended();
  }
}
