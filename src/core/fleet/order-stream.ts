import type { NodeId } from '../kernel/machine/node-id.ts';
import type { Order } from '../protocol/fleet.ts';
import type { FleetState } from './fleet-state.ts';
import { understoodBy } from './order-book.ts';

/** How often a stream sends a heartbeat, in milliseconds. */
const heartbeatMs = 5_000;

/** The orders of a node, as they are given; undefined at intervals, as a heartbeat. See `Fleet.orders`. */
export async function* streamOrders(
  state: FleetState,
  nodeId: NodeId,
  signal: AbortSignal,
  knows?: readonly string[],
): AsyncGenerator<Order | undefined> {
  await state.ready();
  const sent = new Set<string>();
  let wake = (): void => {};
  const onOrder = (): void => wake();
  const stop = state.watchers.add(nodeId, onOrder);
  signal.addEventListener('abort', onOrder);
  state.changed();
  try {
    while (!signal.aborted) {
      const fresh = understoodBy(state.book.openFor(nodeId), knows).filter(({ order_id }) => !sent.has(order_id));
      for (const order of fresh) {
        sent.add(order.order_id);
        yield order;
      }
      if (fresh.length > 0) continue;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, heartbeatMs);
        timer.unref();
      });
      clearTimeout(timer);
      if (!signal.aborted) yield undefined;
    }
  } finally {
    stop();
    signal.removeEventListener('abort', onOrder);
    state.changed();
  }
}
