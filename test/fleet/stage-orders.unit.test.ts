import { expect, test } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { parseNodeId } from '../../src/core/kernel/machine/node-id.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { createStageOrders, type StageForOrder } from '../../src/core/node/stage-orders.ts';
import type { Order, OrderOutcome } from '../../src/core/protocol/fleet.ts';
import { within } from '../helpers/waiting.ts';

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

function stages({
  stage,
  wanted = async () => true,
  failure,
}: {
  stage: StageForOrder;
  wanted?: () => Promise<boolean>;
  failure?: SkulkError;
}) {
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
      acknowledge: async (_, id, { status }) => {
        acknowledged.push([id, status]);
        if (failure !== undefined) throw failure;
      },
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

test.each([
  ['ORDER_NOT_FOUND', 1, 0],
  ['STORE_UNREACHABLE', 2, 2],
] as const)(
  'a result that the store refuses with %s: how often the stage runs for two orders, and how often that is reported',
  async (code, runs, reports) => {
    let ran = 0;
    const stage: StageForOrder = async () => {
      ran += 1;
      return done;
    };
    const { orders, unsent } = stages({ stage, failure: new SkulkError(code, 'no') });
    for (const _ of [1, 2]) {
      orders.start(order(1));
      await orders.ended();
    }
    expect([ran, unsent.length]).toEqual([runs, reports]);
  },
);

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
  await within('the second question', askedTwice);
  ending.abort(new SkulkError('TERMINATED', 'the end'));
  await orders.ended();
  expect(acknowledged).toEqual([]);
});

test('an older removal is not carried out after the copy was made, but one of another copy, of every copy, or after a failed stage is', async () => {
  const outcomes: OrderOutcome[] = [{ ...done, status: 'failed', reason: 'no space' }, done];
  const { orders } = stages({ stage: async () => outcomes.shift() });
  const evict = (seq: number, more: Partial<Order> = {}) => order(seq, { kind: 'evict', ...more });
  orders.start(order(4));
  await orders.ended();
  expect(orders.isNewerFor(evict(3))).toBe(false);
  orders.start(order(5));
  await orders.ended();
  expect([orders.isNewerFor(evict(3)), orders.isNewerFor(evict(6))]).toEqual([true, false]);
  expect(orders.isNewerFor(evict(3, { model_id: parseModelId('org/b') }))).toBe(false);
  expect(orders.isNewerFor(order(3, { kind: 'purge', model_id: null }))).toBe(false);
});
