import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOrderLog } from '../../src/core/fleet/order-log.ts';
import { decode } from '../../src/core/protocol/decode.ts';
import { order as orderSchema } from '../../src/core/protocol/fleet.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const id = 'a'.repeat(24);
const order = {
  order_id: id,
  seq: 1,
  kind: 'evict',
  model_id: 'org/a',
  force: false,
  given_at: '2026-01-01T00:00:00.000Z',
};
const outcome = { status: 'done', freed_bytes: 1, reason: null };

async function read(...lines: readonly unknown[]) {
  const path = join(await temporaryDirectory(), 'orders.ndjson');
  await writeFile(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  const bad: number[] = [];
  return { entries: await readOrderLog(path, (line) => bad.push(line)), bad };
}

test('a log of orders is read as it was written', async () => {
  const lines = [
    { next: 1 },
    { order, nodes: ['n1', 'n2'], prepared: true },
    { commit: id },
    { ack: id, node: 'n1', outcome },
    { forget: 'n2' },
    { order: { ...order, kind: 'purge', model_id: null }, nodes: [] },
    { order: { ...order, kind: 'stage', revision: 'v1', keep_ms: 5 }, nodes: ['n1'] },
    { ack: id, node: 'n1', outcome: { ...outcome, bytes_transferred: 5 } },
    { drop: id },
  ];
  expect(await read(...lines)).toEqual({ entries: lines, bad: [] });
});

test('keys that a newer version wrote into a log of orders are ignored', async () => {
  expect(await read({ order: { ...order, more: 1 }, nodes: ['n1'], more: 1 })).toEqual({ entries: [{ order, nodes: ['n1'] }], bad: [] });
});

test.each([
  ['no JSON', '{"order":'],
  ['no object', [1]],
  ['nothing that is known', { undo: id }],
  // It would become an order for every model.
  ['an eviction without its model', { order: { ...order, model_id: null }, nodes: ['n1'] }],
  ['a stage without its model', { order: { ...order, kind: 'stage', model_id: null }, nodes: ['n1'] }],
  // It would stage another revision.
  ['a stage of a revision that cannot be', { order: { ...order, kind: 'stage', revision: '' }, nodes: ['n1'] }],
  ['a model that cannot be', { order: { ...order, kind: 'purge', model_id: '../a' }, nodes: ['n1'] }],
  ['an unknown kind', { order: { ...order, kind: 'melt' }, nodes: ['n1'] }],
  ['an order without a number', { order: { ...order, seq: undefined }, nodes: ['n1'] }],
  ['no word about what is in use', { order: { ...order, force: 'no' }, nodes: ['n1'] }],
  ['a node that cannot be', { order, nodes: ['n1', '../n2'] }],
  ['an outcome that cannot be', { ack: id, node: 'n1', outcome: { ...outcome, status: 'melted' } }],
  ['an id of an order that cannot be', { commit: 'a' }],
])('a line with %s is reported and skipped, and the others count', async (_, line) => {
  expect(await read({ next: 7 }, line, { drop: id })).toEqual({ entries: [{ next: 7 }, { drop: id }], bad: [2] });
});

test('an order for a quantization with an impossible name is ignored, and not applied to the whole model', () => {
  const given = { order_id: 'a'.repeat(24), seq: 1, kind: 'evict', model_id: 'org/one', force: false, given_at: '' };
  expect(decode(orderSchema, { ...given, selector: 'Q4_K_M' })).toMatchObject({ selector: 'Q4_K_M' });
  for (const selector of ['', 7, null, 'x'.repeat(5000), ['Q4_K_M']]) expect(decode(orderSchema, { ...given, selector })).toBeUndefined();
});
