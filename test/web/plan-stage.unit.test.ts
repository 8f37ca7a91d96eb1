import { expect, test } from 'vitest';
import { parseNodeId } from '../../src/core/kernel/machine/node-id.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { GivenOrder, KnownNode, NodeOutcome } from '../../src/core/protocol/fleet.ts';
import { askAll, describeStage, lackingIt, listMachines } from '../../web/pages/model/stage-on/plan-stage.ts';

const node = (id: string, changes: Partial<KnownNode> = {}): KnownNode => ({
  node_id: parseNodeId(id),
  hostname: id,
  version: '0.1.0',
  agent: true,
  staged_models: 0,
  staged_bytes: 0,
  free_bytes: 1000,
  knows: ['quantizations', 'stages'],
  copies: [],
  budget_bytes: null,
  address: '192.168.1.2',
  last_seen: '2026-01-01T00:00:00.000Z',
  connected: true,
  pending_orders: 0,
  ...changes,
});
const outcome = (changes: Partial<NodeOutcome> = {}): NodeOutcome => ({
  node: parseNodeId('kite'),
  hostname: 'kite',
  status: 'pending',
  freed_bytes: 0,
  reason: null,
  ...changes,
});
const order = (changes: Partial<GivenOrder> = {}): GivenOrder => ({
  order_id: '0'.repeat(24),
  seq: 1,
  kind: 'stage',
  model_id: parseModelId('org/a'),
  force: false,
  given_at: '2026-01-01T00:00:00.000Z',
  nodes: [outcome()],
  ...changes,
});
const list = (nodes: readonly KnownNode[], orders: readonly GivenOrder[] = []) =>
  listMachines({ nodes, orders, ownId: 'own' }, { modelId: 'org/a' }, 500);

test('machines are listed with this one first and the others by name, and equal names get different names', () => {
  const machines = list([
    node('zoo'),
    node('node-abcdef0123456789', { hostname: 'vm' }),
    node('own'),
    node('node-1234567890abcdef', { hostname: 'vm' }),
  ]);
  expect(machines.map(({ name }) => name)).toEqual(['own', 'vm (1234)', 'vm (abcd)', 'zoo']);
});

test('only machines that can be asked, lack the model and are not asked yet count as lacking it', () => {
  const copy = { model_id: parseModelId('org/a'), size_bytes: 500, last_used: '', in_use: false, over_budget: false };
  const machines = list(
    [
      node('has', { copies: [copy] }),
      node('old', { knows: ['quantizations'] }),
      node('kite'),
      node('host', { address: null }),
      node('free'),
    ],
    [order()],
  );
  expect(lackingIt(machines).map(({ name }) => name)).toEqual(['free']);
  expect(machines.find(({ name }) => name === 'old')?.obstacle).toBe('skulk 0.1.0 there cannot be asked to stage');
  expect(machines.find(({ name }) => name === 'kite')?.open?.outcome.status).toBe('pending');
});

test('an order for another quantization, another model or a removal is not an order to stage this', () => {
  const others = [order({ selector: 'Q4_K_M' }), order({ model_id: parseModelId('org/b') }), order({ kind: 'purge' })];
  expect(list([node('kite')], others)[0]?.open).toBeUndefined();
});

test('a disk with less free space than the model needs is shown only where the model is missing', () => {
  expect(list([node('small', { free_bytes: 400 })])[0]?.tightBytes).toBe(400);
  expect(list([node('unknown', { free_bytes: null })])[0]?.tightBytes).toBeUndefined();
});

test('the question for all machines has the sum, and the names of those that are away', () => {
  const machines = list([node('a'), node('b', { connected: false })]);
  expect(askAll(machines, 1024)).toBe('Stage on 2 machines? Sends up to 2.00 KiB in total. b is away and gets it later.');
});

test('the state of a stage on a machine is described in words', () => {
  const progress = { doing: 'staging', bytes_done: 1, bytes_total: 4, waits_for: null };
  expect(
    [
      outcome({ status: 'done' }),
      outcome({ status: 'failed', reason: 'no space' }),
      outcome({ awaited: false }),
      outcome({ awaited: true }),
      outcome({ progress }),
      outcome({ progress: { ...progress, waits_for: 'waits for a slot' } }),
    ].map(describeStage),
  ).toEqual(['has it', 'failed: no space', 'away; stages it when it is back', 'asked', 'staging', 'waits for a slot']);
});

test('a machine with some quantizations of a model lacks the whole, and has each of them', () => {
  const part = (selector: string) => ({ selector, size_bytes: 1, last_used: '', in_use: false, over_budget: false });
  const copy = { ...part(''), model_id: parseModelId('org/a'), quantizations: [part('q4_k_m')] };
  const of = (copies: readonly object[], selector?: string) => {
    const nodes = [node('kite', { copies: copies as never })];
    const machines = listMachines({ nodes, orders: [], ownId: 'own' }, { modelId: 'org/a', selector }, 500, ['Q8_0', 'Q4_K_M']);
    return [machines[0]?.hasCopy, machines[0]?.partly, lackingIt(machines).length];
  };
  expect(of([copy])).toEqual([false, 'has 1 of 2', 1]);
  expect(of([copy], 'Q4_K_M')).toEqual([true, undefined, 0]);
  expect(of([copy], 'Q8_0')).toEqual([false, undefined, 1]);
  expect(of([{ ...copy, quantizations: [part('Q8_0'), part('Q4_K_M')] }])).toEqual([true, undefined, 0]);
  // Its node does not report quantizations.
  expect(of([{ ...copy, quantizations: undefined }])).toEqual([true, undefined, 0]);
});
