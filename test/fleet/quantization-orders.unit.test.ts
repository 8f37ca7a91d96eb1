import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createOrderBook, understoodBy } from '../../src/core/fleet/order-book.ts';
import { appendToLog, readOrderLog } from '../../src/core/fleet/order-log.ts';
import type { NodeId } from '../../src/core/kernel/machine/node-id.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { namesItsModel, type Order } from '../../src/core/protocol/fleet.ts';

const node = 'n1' as NodeId;
const order = (seq: number, more: Partial<Order> = {}): Order => ({
  order_id: String(seq).padStart(24, '0'),
  seq,
  kind: 'evict',
  model_id: parseModelId('org/x'),
  force: false,
  given_at: '2026-01-01T00:00:00.000Z',
  ...more,
});
const openAfter = (...orders: readonly Order[]): readonly (string | undefined)[] => {
  const book = createOrderBook();
  for (const one of orders) book.apply({ order: one, nodes: [node] });
  return book.openFor(node).map(({ seq, selector }) => `${seq} ${selector ?? 'all'}`);
};

test('an order for a quantization replaces one for the same quantization, and no other', () => {
  expect(openAfter(order(1, { selector: 'Q8_0' }), order(2, { selector: 'Q4_K_M' }), order(3, { selector: 'Q8_0' }))).toEqual([
    '2 Q4_K_M',
    '3 Q8_0',
  ]);
  expect(openAfter(order(1), order(2, { selector: 'Q8_0' }))).toEqual(['1 all', '2 Q8_0']);
});

test('an order for the model replaces those for its quantizations', () => {
  expect(openAfter(order(1, { selector: 'Q8_0' }), order(2, { kind: 'purge' }))).toEqual(['2 all']);
  expect(openAfter(order(1, { selector: 'Q8_0' }), order(2, { kind: 'purge', model_id: null }))).toEqual(['2 all']);
});

test('only nodes that support orders for quantizations receive them', () => {
  const orders = [order(1), order(2, { selector: 'Q8_0' })];
  expect(understoodBy(orders)).toEqual([orders[0]]);
  expect(understoodBy(orders, ['something else'])).toEqual([orders[0]]);
  expect(understoodBy(orders, ['quantizations'])).toEqual(orders);
});

test('an order for a quantization without a model is invalid', () => {
  expect(namesItsModel(order(1, { kind: 'purge', model_id: null, selector: 'Q8_0' }))).toBe(false);
});

test('the log stores orders for quantizations under a kind that earlier versions do not apply to the whole model', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'skulk-orders-'));
  const path = join(directory, 'orders.ndjson');
  const entries = [
    { order: order(1, { selector: 'sub/m-Q8_0.gguf' }), nodes: [node] },
    { order: order(2, { kind: 'purge' as const, selector: 'Q8_0' }), nodes: [node], prepared: true as const },
    { order: order(3), nodes: [node] },
  ];
  await appendToLog(directory, path, entries);
  const kinds = (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { order: { kind: string } }).order.kind);
  expect(kinds).toEqual(['evict-quantization', 'purge-quantization', 'evict']);
  const bad: number[] = [];
  expect(await readOrderLog(path, (line) => bad.push(line))).toEqual(entries);
  expect(bad).toEqual([]);
});
