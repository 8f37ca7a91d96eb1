import { useEffect, useState } from 'react';
import type { GivenOrder, NodeOutcome } from '../../src/core/protocol/fleet.ts';
import { callOf } from '../api/call.ts';
import { useApp, useStore } from '../parts/app-context.ts';

/**
 * The state of an order on each node while it is shown. The first answer comes after a few seconds, and a slow node answers later.
 * @param orderId undefined: nothing to follow
 * @param first the outcomes of the first answer
 */
export function useOutcomes(orderId: string | undefined, first: readonly NodeOutcome[]): readonly NodeOutcome[] {
  const { client } = useApp();
  const { nodes, orders } = useStore().topics;
  const [latest, setLatest] = useState<readonly NodeOutcome[]>();
  const outcomes = mergeLatest(first, latest);
  const isOpen = orderId !== undefined && outcomes.some(({ status }) => status !== 'done');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the order is read again when the nodes or the orders of the store have changed
  useEffect(() => {
    if (!isOpen) return;
    const own = new AbortController();
    client.send<GivenOrder>(callOf('GET /store/orders/:order', { order: orderId }, { wait_ms: 0 }), undefined, own.signal).then(
      (order) => {
        if (!own.signal.aborted) setLatest(order.nodes);
      },
      // An order that is over and dropped keeps its last state here.
      () => undefined,
    );
    return () => own.abort();
  }, [client, isOpen, orderId, nodes, orders]);
  return outcomes;
}

/** The first outcomes in their latest state, and those of other nodes that had something to do. Pure. */
export function mergeLatest(first: readonly NodeOutcome[], latest: readonly NodeOutcome[] = []): readonly NodeOutcome[] {
  const now = new Map(latest.map((outcome) => [outcome.node, outcome]));
  const others = latest.filter(
    ({ node, status, freed_bytes }) =>
      !first.some((one) => one.node === node) && (freed_bytes > 0 || status === 'deferred' || status === 'failed'),
  );
  return [...first.map((outcome) => now.get(outcome.node) ?? outcome), ...others];
}

/** What the nodes freed together, in bytes. Pure. */
export const freedBy = (outcomes: readonly NodeOutcome[]): number => outcomes.reduce((sum, { freed_bytes }) => sum + freed_bytes, 0);
