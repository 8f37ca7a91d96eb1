import { rm } from 'node:fs/promises';
import { expect } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { carryOutOrder, settleOutcome } from '../../src/core/node/carry-out-order.ts';
import type { Order } from '../../src/core/protocol/fleet.ts';
import { stagingLayout } from '../../src/core/staging/layout.ts';
import { listCopies } from '../../src/core/staging/list-copies.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { serveModels, stagingNode } from '../helpers/staging-node.ts';

const order = (digit: string): Order => ({
  kind: 'evict',
  model_id: parseModelId('org/a'),
  force: false,
  order_id: digit.repeat(24),
  seq: 1,
  given_at: new Date().toISOString(),
});

async function nodeWithCopy() {
  const { url } = await serveModels({ 'org/a': { x: 'aaa' } });
  const node = await stagingNode(url);
  await node.request(['org/a']);
  const staged = async () => (await listCopies(stagingLayout(node.root))).copies.length;
  return { ...node, staged };
}

usualTest('two processes that carry out the same order both report the freed bytes', async () => {
  const node = await nodeWithCopy();
  const outcomes = await Promise.all([1, 2, 3].map(() => carryOutOrder(node.deps, order('a'))));
  expect(outcomes).toEqual([1, 2, 3].map(() => ({ status: 'done', freed_bytes: 3, reason: null })));
  expect(await node.staged()).toBe(0);
});

usualTest('two nodes that share a directory count its freed bytes once', async () => {
  const node = await nodeWithCopy();
  const as = (nodeId: string) => ({ ...node.deps, config: { ...node.deps.config, nodeId } });
  const outcomes = await Promise.all(['a', 'b', 'a'].map((id) => carryOutOrder(as(id), order('e'))));
  expect(outcomes[2]).toEqual(outcomes[0]);
  expect(
    outcomes
      .slice(0, 2)
      .map(({ freed_bytes }) => freed_bytes)
      .toSorted(),
  ).toEqual([0, 3]);
  expect(await node.staged()).toBe(0);
});

longTest('a copy that was staged again after an order stays, regardless of which process receives the order first', async () => {
  const node = await nodeWithCopy();
  const done = { status: 'done', freed_bytes: 3, reason: null };
  expect(await carryOutOrder(node.deps, order('b'))).toEqual(done);
  await settleOutcome(node.deps, order('b'));
  await node.request(['org/a']);
  expect(await carryOutOrder(node.deps, order('b'))).toEqual(done);
  expect(await node.staged()).toBe(1);
  expect(await carryOutOrder(node.deps, order('c'))).toEqual(done);
});

longTest(
  'an order to purge every copy that had to wait removes only the copies that were there when it was first carried out',
  async () => {
    const { url } = await serveModels({ 'org/a': { x: 'aaa' }, 'org/b': { x: 'bb' } });
    const node = await stagingNode(url);
    await node.request(['org/a'], { keepMs: 3600_000 });
    await node.request(['org/b']);
    const purge: Order = { ...order('d'), kind: 'purge', model_id: null };
    expect(await carryOutOrder(node.deps, purge)).toEqual({ status: 'deferred', freed_bytes: 2, reason: expect.stringContaining('org/a') });
    await node.request(['org/b']);
    const layout = stagingLayout(node.root);
    await rm(layout.leases, { recursive: true });
    expect(await carryOutOrder(node.deps, purge)).toEqual({ status: 'done', freed_bytes: 5, reason: null });
    expect((await listCopies(layout)).copies.map(({ modelId }) => modelId)).toEqual(['org/b']);
  },
);
