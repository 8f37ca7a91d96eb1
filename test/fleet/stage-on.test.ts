import { join } from 'node:path';
import { expect } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { acquireLock } from '../../src/core/kernel/process/lock.ts';
import type { GivenOrder } from '../../src/core/protocol/fleet.ts';
import { copyLock, stagingLayout } from '../../src/core/staging/layout.ts';
import { fleetWorld, type NodeStands } from '../helpers/fleet-world.ts';
import { ask } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { until } from '../helpers/waiting.ts';

interface OnNode extends Pick<NodeStands, 'node' | 'status' | 'reason'> {
  readonly model: string;
  readonly bytes_transferred: number;
}

const nodesIn = (stdout: string): readonly OnNode[] =>
  (JSON.parse(stdout) as { nodes: OnNode[] }).nodes.toSorted((a, b) => a.node.localeCompare(b.node));

usualTest('stage --all-nodes makes and keeps a copy on every node with a server, and on a node that is away when it is back', async () => {
  const world = await fleetWorld();
  await world.add('org/a', 'aaaa');
  const host = await world.hostInProcess();
  await using _one = await world.nodeInProcess('n1', host.url);
  await using _two = await world.nodeInProcess('n2', host.url);
  expect((await world.node('n3', host.url, 'registry')).status).toBe(0);
  // A node becomes known at its first stage of a model of the store.
  await world.add('org/b', 'b');
  expect((await world.node('n3', host.url, 'stage', 'org/b')).status).toBe(0);
  await until('both agents listen', async () => {
    const { nodes } = JSON.parse((await world.host('nodes', '--json')).stdout) as { nodes: { node_id: string; connected: boolean }[] };
    return nodes.filter(({ node_id, connected }) => connected && node_id !== 'host').length === 2;
  });

  const staged = await world.host('stage', 'org/a', '--all-nodes', '--keep', '1h', '--json');
  expect(staged.status).toBe(9);
  expect(nodesIn(staged.stdout)).toMatchObject([
    { model: 'org/a', node: 'n1', status: 'done', bytes_transferred: 4, reason: null },
    { model: 'org/a', node: 'n2', status: 'done', bytes_transferred: 4, reason: null },
    { model: 'org/a', node: 'n3', status: 'pending', bytes_transferred: 0, reason: 'no `skulk serve` runs there' },
  ]);
  expect([await world.copies('n1'), await world.copies('n2'), await world.copies('n3')]).toEqual([['org--a'], ['org--a'], ['org--b']]);
  expect(await world.copies('host')).toEqual([]);
  const { models } = JSON.parse((await world.node('n1', host.url, 'staging', '--json')).stdout) as { models: { in_use: boolean }[] };
  expect(models.map(({ in_use }) => in_use)).toEqual([true]);

  // A command of that machine does not stage by the way what its person did not ask for; its reconcile does.
  expect((await world.node('n3', host.url, 'stage', 'org/b')).status).toBe(0);
  expect(await world.copies('n3')).toEqual(['org--b']);
  expect((await world.node('n3', host.url, 'reconcile')).stdout).toContain('the store asked to stage org/a: done, 4 B moved');
  expect(await world.copies('n3')).toEqual(['org--a', 'org--b']);
  const done = await world.host('stage', 'org/a', '--on', 'n1,n2', '--json');
  expect([done.status, nodesIn(done.stdout).map(({ bytes_transferred }) => bytes_transferred)]).toEqual([0, [0, 0]]);
});

longTest(
  'a stage that fails on a node reports the reason and is not tried again, and an order that no node has carried out can be withdrawn',
  async () => {
    const world = await fleetWorld();
    await world.add('org/a');
    const host = await world.hostInProcess();
    await using _one = await world.nodeInProcess('n1', host.url);
    await until('the node is known', async () => (await world.host('nodes', '--json')).stdout.includes('"n1"'));
    expect((await world.node('n2', host.url, 'stage', 'org/a')).status).toBe(0);

    const failed = await world.host('stage', 'org/missing', '--on', 'n1', '--json');
    expect([failed.status, nodesIn(failed.stdout)]).toEqual([
      9,
      [expect.objectContaining({ node: 'n1', status: 'failed', reason: expect.stringContaining('org/missing') })],
    ]);
    expect(JSON.parse((await world.host('nodes', '--json')).stdout)).toMatchObject({ orders: [] });

    expect((await world.host('stage', 'org/a', '--on', 'n2')).status).toBe(9);
    const again = await world.host('cancel', 'org/a', '--all-nodes');
    expect([again.status, again.stdout]).toEqual([0, expect.stringContaining('org/a: order withdrawn on')]);
    expect(JSON.parse((await world.host('nodes', '--json')).stdout)).toMatchObject({ orders: [] });
    expect((await world.host('cancel', 'org/a', '--all-nodes')).status).toBe(3);
    expect((await world.host('stage', 'org/a', '--on', 'nobody')).status).toBe(3);
    expect((await world.host('stage', 'org/a', '--on', 'n1', '--offline')).status).toBe(2);
    expect((await world.host('stage', 'org/a', '--on', 'n1', '--all-nodes')).status).toBe(2);
  },
);

longTest('the API accepts orders to stage a model, shows their state and withdraws them, but it cannot withdraw a purge', async () => {
  const world = await fleetWorld();
  await world.add('org/a', 'aaaa');
  const host = await world.hostInProcess();
  await using node = await world.nodeInProcess('n1', host.url);
  expect((await world.node('n2', host.url, 'stage', 'org/a')).status).toBe(0);
  const send = (target: string, method: string, body?: unknown) =>
    ask(node.apiUrl, target, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  await until('the node is known', async () => (await world.host('nodes', '--json')).stdout.includes('"n1"'));
  const given = (await send('/store/models/org%2Fa/stage', 'POST', { nodes: ['n1'], keep_ms: 1000 })).json() as GivenOrder;
  expect(given).toMatchObject({ kind: 'stage', model_id: 'org/a', keep_ms: 1000, nodes: [{ node: 'n1' }] });
  await until('the node has staged it', async () => {
    const { nodes } = (await send(`/store/orders/${given.order_id}?wait_ms=60000`, 'GET')).json() as GivenOrder;
    return nodes[0]?.status === 'done';
  });
  expect(await world.copies('n1')).toEqual(['org--a']);

  const pending = (await send('/store/models/org/a/stage', 'POST', { nodes: ['n2'] })).json() as GivenOrder;
  expect(pending.nodes).toMatchObject([{ node: 'n2', status: 'pending', awaited: false }]);
  const progress = { doing: 'staging', bytes_done: 1, bytes_total: 4, waits_for: null };
  const report = () =>
    ask(host.url, `/nodes/n2/orders/${pending.order_id}/progress`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(progress),
    });
  expect((await report()).json()).toEqual({ wanted: true });
  expect((await send(`/store/orders/${pending.order_id}`, 'GET')).json()).toMatchObject({ nodes: [{ node: 'n2', progress }] });
  expect((await send(`/store/orders/${pending.order_id}`, 'DELETE')).status).toBe(200);
  expect((await report()).json()).toEqual({ wanted: false });
  expect((await send(`/store/orders/${pending.order_id}`, 'GET')).status).toBe(404);

  // A node that was away stages it when its server is back.
  await world.add('org/late', 'late');
  const late = (await send('/store/models/org%2Flate/stage', 'POST', { nodes: ['n2'] })).json() as GivenOrder;
  await using _late = await world.nodeInProcess('n2', host.url);
  await until('the node has staged it', async () => {
    const { nodes } = (await send(`/store/orders/${late.order_id}?wait_ms=60000`, 'GET')).json() as GivenOrder;
    return nodes[0]?.status === 'done';
  });
  expect(await world.copies('n2')).toEqual(['org--a', 'org--late']);

  const purge = (await send('/store/purge-staging?wait_ms=0', 'POST', { nodes: ['n2'] })).json() as { order: GivenOrder };
  expect((await send(`/store/orders/${purge.order.order_id}`, 'DELETE')).status).toBe(409);
  expect((await send('/store/models/org%2Fa/stage', 'POST', { nodes: ['nobody'] })).status).toBe(404);
  expect((await send('/store/models/org%2Fa/stage', 'POST', { keep_ms: 0 })).status).toBe(400);
});

longTest('a withdrawal ends the stage that runs on a node, and a killed node resumes its order when it starts again', async () => {
  const world = await fleetWorld();
  await world.add('org/a', 'aaaa');
  const host = await world.hostInProcess();
  const node = await world.serveNode('n1', host.url);
  await until('the node is known', async () => (await world.host('nodes', '--json')).stdout.includes('"n1"'));
  const read = async <T>(url: string, target: string, method = 'GET'): Promise<T> => (await ask(url, target, { method })).json() as T;
  const order = () => read<GivenOrder>(host.apiUrl, '/store/models/org%2Fa/stage', 'POST');
  const waits = async ({ order_id }: GivenOrder): Promise<boolean> => {
    const { nodes } = await read<GivenOrder>(host.apiUrl, `/store/orders/${order_id}`);
    return nodes[0]?.progress?.waits_for != null;
  };
  const jobs = () => read<{ jobs: { status: string; error_code: string | null }[] }>(node.apiUrl, '/node/stage');
  // Another process builds this copy, so the stage has to wait.
  const lock = await acquireLock(copyLock(stagingLayout(join(world.home, 'n1/staging')), parseModelId('org/a')), {
    purpose: 'the test',
    timeoutMs: 1,
    signal: new AbortController().signal,
  });

  const first = await order();
  await until('the stage waits', () => waits(first));
  expect((await ask(host.apiUrl, `/store/orders/${first.order_id}`, { method: 'DELETE' })).status).toBe(200);
  await until('the job has ended', async () => (await jobs()).jobs[0]?.status === 'failed');
  expect((await jobs()).jobs).toMatchObject([{ error_code: 'CANCELLED' }]);

  const second = await order();
  await until('the stage waits again', () => waits(second));
  await node.kill();
  await lock.release();
  expect(await world.copies('n1')).toEqual([]);
  await world.serveNode('n1', host.url);
  await until('the node has staged it', async () => {
    const { nodes } = await read<GivenOrder>(host.apiUrl, `/store/orders/${second.order_id}?wait_ms=60000`);
    return nodes[0]?.status === 'done';
  });
  expect(await world.copies('n1')).toEqual(['org--a']);
});
