import { expect, test } from 'vitest';
import type { GivenOrder, NodeOutcome } from '../../src/core/protocol/fleet.ts';
import type { ReportedCopy } from '../../src/core/protocol/models/reported-copy.ts';
import type { StagingJob } from '../../src/core/protocol/staging.ts';
import { listDoing } from '../../web/pages/nodes/list-doing.ts';
import { describeBudget, sumBudget } from '../../web/pages/nodes/sum-budget.ts';

const copy = (size_bytes: number, state: Partial<ReportedCopy> = {}) =>
  ({ model_id: 'org/a', size_bytes, last_used: '2026-01-01T00:00:00Z', in_use: false, over_budget: false, ...state }) as ReportedCopy;

test('the copies of a node are summed up by use, and the budget does not count copies in use', () => {
  const copies = [copy(1024, { in_use: true }), copy(2048), copy(4096, { over_budget: true })];
  const sums = sumBudget({ copies, budget_bytes: 3072 });
  expect(sums).toMatchObject({ used: 1024, idle: 2048, over: 4096, limit: 4096, total: 7168 });
  expect(sums && describeBudget(sums, 3072)).toBe('4.00 KiB over budget');
  expect(sums?.words).toBe('in use 1.00 KiB, idle 6.00 KiB, budget for idle copies 3.00 KiB');
});

test('a budget is described in a few words, also without a limit and without copies', () => {
  const within = sumBudget({ copies: [copy(2048)], budget_bytes: 4096 });
  expect(within && describeBudget(within, 4096)).toBe('2.00 KiB of 4.00 KiB idle');
  const endless = sumBudget({ copies: [], budget_bytes: null });
  expect(endless && describeBudget(endless, null)).toBe('no limit');
  expect(sumBudget({ copies: null, budget_bytes: null })).toBeUndefined();
});

const orderFor = (node: string, outcome: Partial<NodeOutcome>, model_id: string | null = 'org/a'): GivenOrder =>
  ({ kind: 'stage', model_id, nodes: [{ node, status: 'pending', ...outcome }] }) as unknown as GivenOrder;
const progress = { doing: 'staging', bytes_done: 31, bytes_total: 50, waits_for: null };
const n1 = { node_id: 'n1' } as Parameters<typeof listDoing>[0];

test.each([
  ['nothing', [], undefined, []],
  ['a stage of another machine, from its reports', [orderFor('n1', { progress })], undefined, ['staging org/a, 62 %']],
  ['an order of another node', [orderFor('n2', { progress })], undefined, []],
  ['an order that is done', [orderFor('n1', { status: 'done' })], undefined, []],
  ['orders that wait', [orderFor('n1', {}), orderFor('n1', { status: 'deferred' }, null)], undefined, ['2 orders wait']],
  [
    'stages of this machine, which its reports do not repeat',
    [orderFor('n1', { progress })],
    [{ model_id: 'org/a', selector: 'Q4_K_M', status: 'staging', bytes_done: 1, bytes_total: 0 } as StagingJob],
    ['staging org/a:Q4_K_M'],
  ],
  ['a stage of this machine that ended', [], [{ model_id: 'org/a', selector: null, status: 'complete' } as StagingJob], []],
] as const)('the row of a node says what it does: %s', (_, orders, jobs, lines) => {
  expect(listDoing(n1, orders, jobs)).toEqual(lines);
});
