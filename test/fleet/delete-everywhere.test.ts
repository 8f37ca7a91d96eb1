import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { faultProxy } from '../helpers/fault-proxy.ts';
import { type FleetWorld, fleetWorld, type NodeStands } from '../helpers/fleet-world.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';

const nodesOf = (stdout: string): Readonly<Record<string, string>> =>
  Object.fromEntries((JSON.parse(stdout) as { nodes: NodeStands[] }).nodes.map(({ node, status }) => [node, status]));

async function pendingOf(world: FleetWorld): Promise<Readonly<Record<string, number>>> {
  const { stdout } = await world.host('nodes', '--json');
  const { nodes } = JSON.parse(stdout) as { nodes: { node_id: string; pending_orders: number }[] };
  return Object.fromEntries(nodes.map(({ node_id, pending_orders }) => [node_id, pending_orders]));
}

/** A proxy that forwards everything except what it drops; returns its URL. */
async function dropping(target: string, dropped: RegExp): Promise<string> {
  const server = createServer((incoming, answer) => {
    if (dropped.test(incoming.url ?? '')) return void incoming.socket.destroy();
    const { method, url, headers } = incoming;
    const onward = request(new URL(url ?? '/', target), { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

longTest('a delete reaches every node with an agent at once, and waits for a node that is off', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  await world.add('org/two');
  const host = await world.hostInProcess();
  await world.nodeInProcess('n1', host.url);
  await world.nodeInProcess('n2', host.url);
  for (const name of ['n1', 'n2', 'laptop'])
    expect(await world.node(name, host.url, 'stage', 'org/one', 'org/two')).toMatchObject({ status: 0 });

  // All of them run on one machine, so the hostname alone names none.
  const plan = await world.node('n1', host.url, 'delete', 'org/one', '--dry-run');
  for (const id of ['n1', 'n2', 'laptop']) expect(plan.stdout).toContain(` (${id})`);

  const ended = await world.node('n1', host.url, 'delete', 'org/one', '--wait', '1m', '--yes', '--json');
  expect(ended.status).toBe(9);
  expect(nodesOf(ended.stdout)).toEqual({ host: 'done', n1: 'done', n2: 'done', laptop: 'pending' });
  expect(JSON.parse(ended.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ error: { code: 'PARTIAL' } });
  expect(await world.canonical()).toEqual(['org--two']);
  expect(await world.copies('n1')).toEqual(['org--two']);
  expect(await world.copies('n2')).toEqual(['org--two']);
  expect(await world.copies('laptop')).toEqual(['org--one', 'org--two']);

  // The laptop has no agent; its next stage catches up first.
  expect(await world.node('laptop', host.url, 'stage', 'org/two')).toMatchObject({ status: 0 });
  expect(await world.copies('laptop')).toEqual(['org--two']);
  expect(await pendingOf(world)).toMatchObject({ laptop: 0, n1: 0 });

  const { nodes, order } = (await ask(host.url, '/models/org/two', { method: 'DELETE' })).json() as Record<string, { nodes: NodeStands[] }>;
  expect(order?.nodes).toEqual(nodes);
  expect(nodesOf(JSON.stringify(order))).toEqual({ host: 'done', n1: 'done', n2: 'done', laptop: 'pending' });
});

longTest('a delete does not wait for a node without a server whose copies were purged, evicted or found damaged', async () => {
  const world = await fleetWorld();
  const models = ['org/purged', 'org/evicted', 'org/damaged'];
  for (const model of models) await world.add(model);
  const host = await world.hostInProcess();
  const laptop = (...args: readonly string[]) => world.node('laptop', host.url, ...args);
  expect(await laptop('stage', ...models)).toMatchObject({ status: 0 });
  const listed = async (): Promise<readonly string[]> => {
    const { nodes } = JSON.parse((await world.host('nodes', '--json')).stdout) as {
      nodes: { node_id: string; copies: { model_id: string }[] }[];
    };
    return (nodes.find(({ node_id }) => node_id === 'laptop')?.copies ?? []).map(({ model_id }) => model_id).toSorted();
  };
  expect(await listed()).toEqual(['org/damaged', 'org/evicted', 'org/purged']);

  expect(await laptop('purge-staging', 'org/purged')).toMatchObject({ status: 0, stderr: '' });
  expect(await listed()).toEqual(['org/damaged', 'org/evicted']);
  await writeFile(join(world.home, 'laptop/staging/org--damaged/a.gguf'), 'SOME BYTES');
  expect(await laptop('verify', '--staging', '--repair', 'org/damaged')).toMatchObject({ status: 0 });
  expect(await listed()).toEqual(['org/evicted']);
  const config = join(world.home, 'none.yaml');
  await writeFile(config, 'model_store:\n  staging:\n    staging_keep_recent_gb: 0\n');
  expect(await laptop('reconcile', '--config', config)).toMatchObject({ status: 0 });
  expect(await listed()).toEqual([]);
  const deleted = await world.host('delete', ...models, '--yes', '--json');
  expect([deleted.status, nodesOf(deleted.stdout)]).toEqual([0, { host: 'done' }]);

  // A command of the host asks through loopback, an address that other machines cannot use.
  const own = await ask(host.url, '/nodes/host', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ hostname: 'host', version: '1', agent: true, staged_models: null, staged_bytes: null, free_bytes: null }),
  });
  expect(own.status).toBe(200);
  const records = (await ask(host.url, '/nodes')).json() as { node_id: string; address: string | null }[];
  expect(Object.fromEntries(records.map(({ node_id, address }) => [node_id, address]))).toEqual({ host: null, laptop: '127.0.0.1' });

  // The removal itself needs no store.
  await world.add('org/purged');
  expect(await laptop('stage', 'org/purged')).toMatchObject({ status: 0 });
  await host.stop();
  expect(await laptop('purge-staging')).toMatchObject({ status: 0, stderr: '' });
  expect(await world.copies('laptop')).toEqual([]);
});

longTest(
  'a machine whose commands only fail does not become known, and its first stage of a model of the store makes it known',
  async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const host = await world.hostInProcess();
    for (const args of [
      ['stage', 'org/missing'],
      ['stage', 'org/missing', '--keep', '1h'],
      ['run', 'org/missing', '--', 'true'],
      ['purge-staging'],
    ])
      await world.node('guest', host.url, ...args);
    const known = async () => Object.keys(await pendingOf(world)).toSorted();
    expect(await known()).toEqual(['host']);
    expect((await world.host('delete', 'org/one', '--yes')).status).toBe(0);

    await world.add('org/two');
    expect(await world.node('guest', host.url, 'stage', 'org/two')).toMatchObject({ status: 0 });
    expect(await known()).toEqual(['guest', 'host']);
    expect((await world.host('delete', 'org/two', '--yes')).status).toBe(9);
  },
);

longTest('a copy that was staged again after an order stays, even if the order arrives again', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  const deaf = await dropping(host.url, /\/orders\//);
  expect(await world.node('laptop', host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
  expect((await world.host('delete', 'org/one', '--yes')).status).toBe(9);
  expect(await world.node('laptop', host.url, 'reconcile', '--dry-run')).toMatchObject({
    status: 0,
    stdout: 'the store asked to delete org/one: would be done now\n',
  });
  expect(await world.copies('laptop')).toEqual(['org--one']);
  // The laptop carries out the order, but its answer does not arrive.
  await world.node('laptop', deaf, 'reconcile');
  expect(await world.copies('laptop')).toEqual([]);
  expect(await pendingOf(world)).toEqual({ host: 0, laptop: 1 });
  await world.add('org/one', 'other bytes');
  expect(await world.node('laptop', deaf, 'stage', 'org/one')).toMatchObject({ status: 0 });
  expect(await world.node('laptop', host.url, 'reconcile')).toMatchObject({ status: 0 });
  expect(await world.copies('laptop')).toEqual(['org--one']);
  expect(await pendingOf(world)).toEqual({ host: 0, laptop: 0 });
});

longTest('a model that was deleted and added again is staged again, and stays', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  expect(await world.node('laptop', host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
  expect((await world.host('delete', 'org/one', '--yes')).status).toBe(9);
  await world.add('org/one', 'other bytes');
  expect(await world.node('laptop', host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
  expect(await pendingOf(world)).toEqual({ host: 0, laptop: 0 });
  expect(await world.node('laptop', host.url, 'reconcile')).toMatchObject({ status: 0, stdout: '', stderr: 'nothing to do\n' });
  expect(await world.copies('laptop')).toEqual(['org--one']);
});

usualTest('a program without a server is reported with its copy in use while it runs, and a delete says so', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  const end = join(world.home, 'end');
  onTestFinished(() => writeFile(end, ''));
  const running = world.startNode('laptop', host.url, 'run', 'org/one', '--', 'sh', '-c', `until test -e ${end}; do sleep 0.02; done`);
  const copies = async () => {
    const { nodes } = JSON.parse((await world.host('nodes', '--json')).stdout) as {
      nodes: { node_id: string; copies: { model_id: string; in_use: boolean }[] }[];
    };
    return nodes.find(({ node_id }) => node_id === 'laptop')?.copies?.map(({ model_id, in_use }) => [model_id, in_use]);
  };
  await expect.poll(copies).toEqual([['org/one', true]]);
  const deleted = await world.host('delete', 'org/one', '--yes');
  expect(deleted).toMatchObject({ status: 9, stdout: expect.stringMatching(/laptop\)?: later, in use at its last report\n/) });
  expect(await world.copies('laptop')).toEqual(['org--one']);
  await writeFile(end, '');
  expect((await running.exited).status).toBe(0);
  expect(await world.copies('laptop')).toEqual([]);
  expect(await pendingOf(world)).toEqual({ host: 0, laptop: 0 });
});

usualTest('a copy in use is removed when its last use ends, and at once with --force', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  await world.add('org/two');
  const host = await world.hostInProcess();
  await world.nodeInProcess('n1', host.url);
  for (const model of ['org/one', 'org/two']) {
    expect(await world.node('n1', host.url, 'stage', model)).toMatchObject({ status: 0 });
    expect(await world.node('n1', host.url, 'activate', model, '--pid', String(process.pid))).toMatchObject({ status: 0 });
  }
  const ended = await world.host('delete', 'org/one', '--wait', '1m', '--yes', '--json');
  expect(nodesOf(ended.stdout)).toEqual({ host: 'done', n1: 'deferred' });
  expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining(`pid ${process.pid}`) });
  expect(await world.copies('n1')).toEqual(['org--one', 'org--two']);
  expect(await world.node('n1', host.url, 'deactivate', 'org/one')).toMatchObject({ status: 0 });
  await expect.poll(() => world.copies('n1')).toEqual(['org--two']);
  await expect.poll(() => pendingOf(world)).toEqual({ host: 0, n1: 0 });

  const forced = await world.host('delete', 'org/two', '--wait', '1m', '--yes', '--json', '--force');
  expect(nodesOf(forced.stdout)).toEqual({ host: 'done', n1: 'done' });
  expect(await world.copies('n1')).toEqual([]);
});

longTest('orders are kept when the host restarts, and a node that was away receives them', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  await world.add('org/two');
  let host = await world.serveHost();
  // It buffers every answer completely, so no stream passes it.
  const proxy = await faultProxy(host.url);
  await using _ = proxy;
  const node = await world.serveNode('n1', proxy.url);
  expect(await world.node('n1', proxy.url, 'stage', 'org/one', 'org/two')).toMatchObject({ status: 0 });
  await node.kill();
  expect((await world.host('delete', 'org/one', '--yes')).status).toBe(9);
  await host.kill();
  // Without a server the store can still record the order; the node receives it later.
  expect((await world.host('purge-staging', '--all-nodes', '--yes')).status).toBe(9);
  host = await world.serveHost();
  proxy.setTarget(host.url);
  await world.nodeInProcess('n1', proxy.url);
  await expect.poll(() => world.copies('n1')).toEqual([]);
  await expect.poll(() => pendingOf(world)).toMatchObject({ n1: 0 });
  expect(await world.canonical()).toEqual(['org--two']);
});

longTest(
  'a host that uses its models in place keeps them through purges, also with --force, and through the delete of another model',
  async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    await world.add('org/two');
    const store = join(world.home, 'host/store');
    const config = join(world.home, 'in-place.yaml');
    await writeFile(config, `model_store:\n  store_path: ${store}\n  staging: {node_cache_path: ${store}/., staging_keep_recent_gb: 0}\n`);
    const env = { SKULK_HOME: join(world.home, 'host'), SKULK_NODE_ID: 'host', SKULK_CONFIG: config };
    const host = await serveInProcess({ home: join(world.home, 'host'), env });
    onTestFinished(() => host[Symbol.asyncDispose]());
    const own = (...args: readonly string[]) => runSkulk(args, { env });
    expect(await own('stage', 'org/one')).toMatchObject({ status: 0, stdout: `${store}/org--one\n` });
    const json = { 'content-type': 'application/json' };
    for (const body of ['{"force":true}', '{"model_id":"org/one","force":true}', '{}'])
      expect(await ask(host.apiUrl, '/store/purge-staging', { method: 'POST', headers: json, body })).toMatchObject({ status: 200 });
    expect(await own('purge-staging', '--all-nodes', '--force', '--wait', '1m', '--yes')).toMatchObject({ status: 0 });
    expect(await own('reconcile')).toMatchObject({ status: 0 });
    expect(await world.canonical()).toEqual(['org--one', 'org--two']);
    const deleted = await own('delete', 'org/two', '--wait', '1m', '--yes', '--json');
    expect(JSON.parse(deleted.stdout)).toMatchObject({ freed_bytes: 10, nodes: [{ node: 'host', status: 'done', freed_bytes: 0 }] });
    expect(await world.canonical()).toEqual(['org--one']);
    expect(await own('verify')).toMatchObject({ status: 0 });
  },
);

longTest('a delete ends a stage of the model, and no part of it stays', async () => {
  const world = await fleetWorld();
  await world.add('org/big', randomBytes(64 * 1024 * 1024));
  const host = await world.hostInProcess();
  await world.nodeInProcess('n1', host.url);
  await using proxy = await faultProxy(host.url);
  proxy.setRate(16 * 1024 * 1024);
  const staging = world.startNode('n1', proxy.url, 'stage', 'org/big');
  await proxy.passed(20 * 1024 * 1024);
  const answer = await ask(host.url, '/models/org/big?wait_ms=0', { method: 'DELETE' });
  expect(answer.status).toBe(200);
  const ended = await staging.exited;
  expect(ended).toMatchObject({
    status: 3,
    stdout: '',
    stderr: expect.stringContaining('org/big was deleted from the store during the stage'),
  });
  await expect.poll(() => pendingOf(world)).toMatchObject({ n1: 0 });
  expect(await world.copies('n1')).toEqual([]);
  expect(await readdir(join(world.home, 'n1/staging/.skulk/v1/incoming')).catch(() => [])).toEqual([]);
  expect(await world.canonical()).toEqual([]);
});

longTest('the answer to a deletion over HTTP lists the nodes with the model and their results, and no others', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  await world.add('org/two');
  const host = await world.hostInProcess();
  expect(await world.node('holds', host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
  expect(await world.node('other', host.url, 'stage', 'org/two')).toMatchObject({ status: 0 });
  const answer = await ask(host.url, '/models/org%2Fone?wait_ms=0', { method: 'DELETE' });
  const named = (nodes: readonly { node: string }[]): readonly string[] => nodes.map(({ node }) => node);
  const { nodes, order } = answer.json() as { nodes: { node: string }[]; order: { nodes: { node: string }[] } };
  expect([named(nodes), named(order.nodes)]).toEqual([['holds'], ['holds']]);
});

usualTest('a purge over HTTP reaches every node, and keeps canonical copies', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  const node = await world.nodeInProcess('n1', host.url);
  expect(await world.node('n1', host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
  const answer = await ask(node.apiUrl, '/store/purge-staging', { method: 'POST' });
  expect(answer.status).toBe(200);
  expect(answer.json()).toMatchObject({
    order: { kind: 'purge', model_id: null },
    message: expect.any(String),
    nodes: expect.arrayContaining([expect.objectContaining({ node: 'n1', status: 'done' })]),
  });
  expect(await world.copies('n1')).toEqual([]);
  expect(await world.canonical()).toEqual(['org--one']);
});

longTest('nodes are listed, and a node that is gone can be forgotten with its orders', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  expect(await world.node('laptop', host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
  expect((await world.host('delete', 'org/one', '--yes')).status).toBe(9);
  const listed = JSON.parse((await world.host('nodes', '--json')).stdout) as { nodes: object[] };
  expect(listed.nodes).toContainEqual(
    expect.objectContaining({ node_id: 'laptop', agent: false, connected: false, staged_models: 1, staged_bytes: 10, pending_orders: 1 }),
  );
  const text = (await world.host('nodes')).stdout;
  expect(text).toMatch(/^laptop .* no .* 1 {2}127\.0\.0\.1\n/m);
  expect(text).toMatch(/^delete org\/one on \S+ \(laptop\): not answered yet \(asked \S+Z\)\n/m);
  expect(await world.host('nodes', '--forget', 'laptop')).toMatchObject({ status: 0 });
  expect(await world.host('nodes', '--forget', 'laptop')).toMatchObject({ status: 3 });
  expect(await pendingOf(world)).toEqual({ host: 0 });

  // By its host name, if only one node has it.
  const report = { version: '1', agent: false, staged_models: 0, staged_bytes: 0, free_bytes: 1 };
  for (const [id, hostname] of [
    ['n1', 'gpu-box.local'],
    ['n2', 'old'],
    ['n3', 'old'],
  ] as const) {
    const body = JSON.stringify({ ...report, hostname });
    expect((await ask(host.url, `/nodes/${id}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status).toBe(
      200,
    );
  }
  const purged = await world.host('purge-staging', '--node', 'gpu-box', '--yes', '--json');
  expect(nodesOf(purged.stdout)).toEqual({ n1: 'pending' });
  expect(await world.host('nodes', '--forget', 'old')).toMatchObject({ status: 2, stderr: expect.stringMatching(/n2 at \S+, n3 at /) });
  expect(await world.host('nodes', '--forget', 'gpu-box')).toMatchObject({ status: 0, stdout: 'forgot n1\n' });
  expect(await world.host('nodes', '--forget', 'n2')).toMatchObject({ status: 0 });
  expect(await world.host('purge-staging', '--node', 'typo', '--yes')).toMatchObject({ status: 3 });
});
