import type { Fleet } from '../fleet/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import { backoffDelay, pause, type RetryPolicy } from '../kernel/flow/backoff.ts';
import type { Emit } from '../kernel/flow/events.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { NodeReport, Order, OrderOutcome } from '../protocol/fleet.ts';
import { knownOrders } from './known-orders.ts';

/** What an agent works with. Times are in milliseconds. */
export interface AgentOptions {
  readonly fleet: Fleet;
  readonly nodeId: NodeId;
  readonly report: () => Promise<NodeReport>;
  /** Carries an order out, or says what became of it earlier. */
  readonly carryOut: (order: Order) => Promise<OrderOutcome>;
  /** Forgets what became of an order, as the store knows it now. */
  readonly settled: (order: Order) => Promise<void>;
  readonly signal: AbortSignal;
  readonly emit: Emit;
  /** Calls a listener when what the node reports may have changed; the returned function ends that. */
  readonly onChange?: (listener: () => void) => () => void;
  /** How often a copy in use is looked at again (2 s). */
  readonly retryEveryMs?: number;
  /** How often the node reports (30 s). */
  readonly reportEveryMs?: number;
  /** How long after a change it does (1 s). */
  readonly reportSoonMs?: number;
}

const reconnecting: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, firstDelayMs: 200, maxDelayMs: 15_000 };

/** Carries orders out as they are given, until the signal aborts; a lost connection comes back and loses nothing. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { fleet, nodeId, signal, emit, retryEveryMs = 2_000, reportEveryMs = 30_000, reportSoonMs = 1_000 } = options;
  /** What is not done and acknowledged: copies in use, failures, answers that did not arrive. */
  const open = new Map<string, Order>();
  let queue: Promise<void> = Promise.resolve();
  /** One order after the other, no matter which answer named it. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  const warn = (error: unknown): void => {
    if (!signal.aborted && !isLost) emit({ type: 'warning', message: `cannot report the result of an order: ${said(error)}` });
  };
  let isLost = false;
  /** Each reason is named once: it may change from a host that is down to a token that is wrong. */
  const warned = new Set<string>();
  /** Done and acknowledged; a list that was on its way meanwhile may still name them. */
  const finished = new Set<string>();
  const handle = async (order: Order): Promise<void> => {
    if (finished.has(order.order_id)) return;
    open.set(order.order_id, order);
    const outcome = await options.carryOut(order);
    await fleet.acknowledge(nodeId, order.order_id, outcome).catch((error: unknown) => {
      // Nobody asks for it any more: the node was forgotten meanwhile.
      if (!(error instanceof SkulkError) || error.code !== 'ORDER_NOT_FOUND') throw error;
    });
    if (outcome.status !== 'done') return;
    open.delete(order.order_id);
    finished.add(order.order_id);
    await options.settled(order);
  };
  const retry = setInterval(() => {
    const again = async (): Promise<void> => {
      for (const order of [...open.values()]) await handle(order);
    };
    if (open.size > 0) void inTurn(again).catch(warn);
  }, retryEveryMs);
  // The answer names what is open as well, for a node behind a proxy that holds streams back.
  const report = async (): Promise<void> => {
    for (const order of await fleet.report(await options.report(), { signal })) await handle(order);
  };
  const tell = setInterval(() => void inTurn(report).catch(warn), reportEveryMs);
  let soon: NodeJS.Timeout | undefined;
  const ignoreChanges = options.onChange?.(() => {
    soon ??= setTimeout(() => {
      soon = undefined;
      void inTurn(report).catch(warn);
    }, reportSoonMs);
  });
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
        const why = said(error);
        if (!warned.has(why)) emit({ type: 'warning', message: `cannot receive orders: ${why}` });
        warned.add(why);
        isLost = true;
      }
      await pause(backoffDelay(reconnecting, Math.min(attempt, 10)), signal).catch(() => undefined);
    }
  } finally {
    clearInterval(retry);
    clearInterval(tell);
    ignoreChanges?.();
    clearTimeout(soon);
    await queue;
  }
}

const said = (error: unknown): string => (error instanceof SkulkError ? error.message : String(error));
