import { expect, test } from 'vitest';
import { parseNodeId } from '../../src/core/kernel/machine/node-id.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { GivenOrder, KnownNode } from '../../src/core/protocol/fleet.ts';
import type { CountedEntry } from '../../src/core/protocol/models.ts';
import type { StagingJob } from '../../src/core/protocol/staging.ts';
import { explainQuantizations, factsOf, labelQuantizations, namePlaces, onTheWay } from '../../web/pages/store/list/describe-row.ts';

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
