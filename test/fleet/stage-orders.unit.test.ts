import { expect, test } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseNodeId } from '../../src/core/kernel/machine/node-id.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { createStageOrders, type StageForOrder } from '../../src/core/node/stage-orders.ts';
import type { Order, OrderOutcome } from '../../src/core/protocol/fleet.ts';

const nodeId = parseNodeId('n1');
const order = (seq: number, more: Partial<Order> = {}): Order => ({
  order_id: `order-${seq}`,
  seq,
  kind: 'stage',
  model_id: parseModelId('org/a'),
  force: false,
  given_at: '2026-01-01T00:00:00.000Z',
  ...more,
});
const done: OrderOutcome = { status: 'done', freed_bytes: 0, bytes_transferred: 4, reason: null };

function stages({ stage, wanted = async () => true }: { stage: StageForOrder; wanted?: () => Promise<boolean> }) {
  const acknowledged: (readonly [string, string])[] = [];
  const unsent: unknown[] = [];
  const ending = new AbortController();
  const orders = createStageOrders({
    nodeId,
    stage,
    signal: ending.signal,
    reportEveryMs: 1,
    onUnsent: (error) => unsent.push(error),
    fleet: {
      progress: wanted,
      acknowledge: async (_, id, { status }) => void acknowledged.push([id, status]),
    },
  });
  return { orders, acknowledged, unsent, ending };
}

const untilAborted: StageForOrder = (_, { signal, onProgress }) =>
  new Promise((_resolve, reject) => {
    onProgress({ doing: 'staging', bytes_done: 1, bytes_total: 2, waits_for: null });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

test('an order that arrives several times runs once, and is answered once', async () => {
  let runs = 0;
  const { orders, acknowledged } = stages({
    stage: async () => {
      runs += 1;
      return done;
    },
  });
  orders.start(order(1));
  orders.start(order(1));
  await orders.ended();
  orders.start(order(1));
  await orders.ended();
  expect([runs, acknowledged]).toEqual([1, [['order-1', 'done']]]);
});

test('a stage that had to wait, or could not reach the store, is tried again when the order arrives again', async () => {
  const outcomes: (OrderOutcome | undefined)[] = [undefined, { ...done, status: 'deferred', reason: 'in use' }, done];
  const { orders, acknowledged } = stages({ stage: async () => outcomes.shift() });
  for (const _ of [1, 2, 3, 4]) {
    orders.start(order(1));
    await orders.ended();
  }
  expect(acknowledged).toEqual([
    ['order-1', 'deferred'],
    ['order-1', 'done'],
  ]);
});

test('a stage whose order was withdrawn ends without an answer', async () => {
  const { orders, acknowledged, unsent } = stages({ stage: untilAborted, wanted: async () => false });
  orders.start(order(1));
  await orders.ended();
  expect([acknowledged, unsent]).toEqual([[], []]);
});

test('a stage continues while the store cannot be reached, and ends with the agent', async () => {
  let asked = 0;
  let tell = (): void => {};
  const askedTwice = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const { orders, acknowledged, ending } = stages({
    stage: untilAborted,
    wanted: async () => {
      asked += 1;
      if (asked === 2) tell();
      throw new SkulkError('STORE_UNREACHABLE', 'it is away');
    },
  });
  orders.start(order(5));
  expect([orders.isNewerFor(order(4, { kind: 'purge' })), orders.isNewerFor(order(6, { kind: 'purge' }))]).toEqual([true, false]);
  expect(orders.isNewerFor(order(4, { model_id: null }))).toBe(true);
  expect(orders.isNewerFor(order(4, { model_id: parseModelId('org/b') }))).toBe(false);
  await askedTwice;
  ending.abort(new SkulkError('TERMINATED', 'the end'));
  await orders.ended();
  expect(acknowledged).toEqual([]);
});
