import { expect, test } from 'vitest';
import { parseNodeId } from '../../src/core/kernel/machine/node-id.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { GivenOrder, KnownNode } from '../../src/core/protocol/fleet.ts';
import type { CountedEntry } from '../../src/core/protocol/models/entries.ts';
import type { StagingJob } from '../../src/core/protocol/staging.ts';
import { explainQuantizations, factsOf, labelQuantizations, namePlaces, onTheWay } from '../../web/pages/store/list/describe-row.ts';
import { listComparable } from '../../web/pages/store/list/list-comparable.ts';
import { isOlder } from '../../web/pages/store/quantizations.ts';

const entry = (changes: Partial<CountedEntry>): CountedEntry =>
  ({ parameters: null, context_length: null, quantization: null, ...changes }) as CountedEntry;

test('a row names the only quantization, and counts several, of those of the repo if they are known', () => {
  const three = ['Q8_0', 'Q6_K', 'Q4_K_M'];
  expect(labelQuantizations(entry({ quantizations: ['Q8_0'], quantization: 'Q8_0', quantizations_of_repo: 12 }))).toBe('Q8_0');
  expect(labelQuantizations(entry({ quantization: '4bit' }))).toBe('4bit');
  expect(labelQuantizations(entry({ quantizations: [] }))).toBe('');
  expect(labelQuantizations(entry({ quantizations: three }))).toBe('3');
  expect(labelQuantizations(entry({ quantizations: three, quantizations_of_repo: 12 }))).toBe('3 of 12');
  expect(explainQuantizations(entry({ quantizations: three, quantizations_of_repo: 12 }))).toBe('3 quantizations of the 12 of its repo');
  expect(factsOf(entry({ parameters: 30_500_000_000, context_length: 40_960 }))).toBe('30.5B, context 40,960');
});

test('one or two machines are named in a row, and more are counted', () => {
  expect(namePlaces([], 5)).toBe('not staged');
  expect(namePlaces(['a', 'b'], 5)).toBe('a, b');
  expect(namePlaces(['a', 'b', 'c', 'd'], 5)).toBe('4 of 5 nodes');
});

const order = (node: string, changes: Partial<GivenOrder> = {}): GivenOrder => ({
  order_id: '0'.repeat(24),
  seq: 1,
  kind: 'stage',
  model_id: parseModelId('org/a'),
  force: false,
  given_at: '2026-01-01T00:00:00.000Z',
  nodes: [{ node: parseNodeId(node), hostname: node, status: 'pending', freed_bytes: 0, reason: null }],
  ...changes,
});
const nodes = ['own', 'kite', 'away'].map((id) => ({ node_id: parseNodeId(id), connected: id !== 'away' }) as KnownNode);
const job = { model_id: 'org/a', selector: 'Q8_0', status: 'staging', bytes_done: 5, bytes_total: 12 } as StagingJob;

test('a model is on the way to connected machines with an order, and to this one while it stages', () => {
  const of = (selector: string | undefined, orders: readonly GivenOrder[], jobs: readonly StagingJob[] = []) =>
    onTheWay({ modelId: 'org/a', selector }, { orders, nodes, jobs, ownId: 'own' });
  expect(of(undefined, [])).toEqual({ machines: 0, percent: undefined });
  expect(
    of(undefined, [order('away'), order('kite', { kind: 'purge' }), order('kite', { model_id: parseModelId('org/b') })]).machines,
  ).toBe(0);
  expect(of(undefined, [], [job])).toEqual({ machines: 1, percent: 41 });
  // The order to this machine and its job are one.
  expect(of(undefined, [order('own', { selector: 'q8_0' }), order('kite')], [job])).toEqual({ machines: 2, percent: undefined });
  expect(of('Q8_0', [order('kite')], [job])).toEqual({ machines: 1, percent: 41 });
  expect(of('Q4_K_M', [order('kite', { selector: 'q4_k_m' })], [job]).machines).toBe(1);
});

test('a copy is older for its model, and for the quantization with other content alone', () => {
  const stored = { digest: 'all', quantizations: ['Q8_0', 'Q4_K_M'].map((selector) => ({ selector, digest: selector })) };
  const copy = {
    model_id: parseModelId('org/a'),
    digest: 'part',
    quantizations: [
      { selector: 'q8_0', digest: 'Q8_0' },
      { selector: 'Q4_K_M', digest: 'before' },
    ],
  } as unknown as Parameters<typeof isOlder>[0];
  const of = (selector?: string) => isOlder(copy, { modelId: 'org/a', selector }, stored);
  expect([of(), of('Q8_0'), of('q4_k_m')]).toEqual([true, false, true]);
  const one = { ...stored, quantizations: [] };
  expect(isOlder(copy, { modelId: 'org/a' }, one)).toBe(true);
  expect(isOlder({ ...copy, digest: 'all' }, { modelId: 'org/a' }, one)).toBe(false);
});

test('only models with a copy that has a digest are compared with the store, and again when the store has changed them', () => {
  const entries = ['org/a', 'org/b', 'org/c'].map((model_id) =>
    entry({ model_id: parseModelId(model_id), downloaded_at: 'now', total_bytes: 1, file_count: 2 }),
  );
  const reporting = { copies: [{ model_id: 'org/b', quantizations: [{ digest: 'x' }] }, { model_id: 'org/c' }] } as unknown as KnownNode;
  const own = [
    { model_id: parseModelId('org/a'), digest: 'y' },
    { model_id: parseModelId('org/c'), digest: null },
  ] as never;
  expect(listComparable(entries, { nodes: [reporting], own })).toEqual([
    ['org/a', 'now 1 2'],
    ['org/b', 'now 1 2'],
  ]);
});
