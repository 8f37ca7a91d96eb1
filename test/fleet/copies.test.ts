import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';

interface ToldNode {
  readonly node_id: string;
  readonly staged_models: number | null;
  readonly copies: readonly { model_id: string; size_bytes: number; last_used: string; in_use: boolean; over_budget: boolean }[] | null;
  readonly budget_bytes: number | null;
}

const json = { 'content-type': 'application/json' };
const post = (url: string, target: string, body: unknown) =>
  ask(url, target, { method: 'POST', headers: json, body: JSON.stringify(body) });
const nodesOf = async (url: string): Promise<Readonly<Record<string, ToldNode>>> =>
  Object.fromEntries(((await ask(url, '/nodes')).json() as ToldNode[]).map((node) => [node.node_id, node]));
const report = { hostname: 'kite', version: '1', agent: false, staged_models: 1, staged_bytes: 2, free_bytes: 3 };
const copy = (number: number) => ({
  model_id: `org/m${number}`,
  size_bytes: 1,
  last_used: '2026-01-01T00:00:00.000Z',
  in_use: false,
  over_budget: false,
});
const copies = (count: number) => Array.from({ length: count }, (_, number) => copy(number));

describe('the staged copies of nodes', () => {
  usualTest('are reported with their use and the evictions of the budget, and a change is reported soon', async () => {
    const world = await fleetWorld();
    for (const name of ['org/one', 'org/two', 'org/big']) await world.add(name, name === 'org/big' ? new Uint8Array(3000) : 'some bytes');
    let host = await world.serveHost();
    const env = { SKULK_HOME: join(world.home, 'n1'), SKULK_NODE_ID: 'n1', SKULK_STORE: host.url };
    const node = await world.nodeInProcess('n1', host.url);
    expect(await world.node('n1', host.url, 'stage', 'org/one', 'org/two')).toMatchObject({ status: 0 });
    expect(await world.node('n1', host.url, 'activate', 'org/one', '--pid', String(process.pid))).toMatchObject({ status: 0 });
    const used = async () => (await nodesOf(host.url))['n1']?.copies?.map(({ model_id, in_use }) => [model_id, in_use]).toSorted();
    // Only the agent reports this; its usual report follows after half a minute.
    await expect.poll(used).toEqual([
      ['org/one', true],
      ['org/two', false],
    ]);
    expect(await runInProcess(['purge-staging', '--model', 'org/two'], { env })).toMatchObject({ status: 0 });
    await expect.poll(used).toEqual([['org/one', true]]);

    const { copies: told, budget_bytes } = (await nodesOf(host.url))['n1'] ?? {};
    expect(told).toEqual([
      {
        model_id: 'org/one',
        size_bytes: 10,
        last_used: expect.stringMatching(/Z$/),
        in_use: true,
        over_budget: false,
        quantizations: [
          {
            selector: 'a.gguf',
            size_bytes: 10,
            last_used: expect.stringMatching(/Z$/),
            in_use: true,
            over_budget: false,
            digest: expect.stringMatching(/^[0-9a-f]{64}$/),
          },
        ],
      },
    ]);
    expect(budget_bytes).toBe(40 * 1024 ** 3);
    // The records survive a restart of the store host.
    const written = (): Promise<string> => readFile(join(host.storePath, '.skulk/v1/fleet/nodes.json'), 'utf8');
    await expect.poll(written).not.toContain('org/two');
    await node.stop();
    await host.kill();
    host = await world.serveHost();
    expect((await nodesOf(host.url))['n1']?.copies).toEqual(told);
  });

  longTest('over the budget are marked as the next to be evicted', async () => {
    const world = await fleetWorld();
    await world.add('org/big', new Uint8Array(3000));
    await world.add('org/small');
    const host = await world.hostInProcess();
    const config = join(world.home, 'small.yaml');
    await writeFile(config, `model_store:\n  staging: {staging_keep_recent_gb: ${1000 / 1024 ** 3}}\n`);
    const env = { SKULK_HOME: join(world.home, 'n1'), SKULK_NODE_ID: 'n1', SKULK_STORE: host.url, SKULK_CONFIG: config };
    expect(await runInProcess(['stage', 'org/big', 'org/small'], { env })).toMatchObject({ status: 0 });
    const { copies: told, budget_bytes } = (await nodesOf(host.url))['n1'] ?? {};
    expect(Object.fromEntries(told?.map(({ model_id, over_budget }) => [model_id, over_budget]) ?? [])).toEqual({
      'org/big': true,
      'org/small': false,
    });
    expect(budget_bytes).toBe(1000);
    const staging = JSON.parse((await runInProcess(['staging', '--json'], { env })).stdout) as { models: object[]; budget_bytes: number };
    expect(staging).toMatchObject({ budget_bytes: 1000, in_place: false });
    expect(staging.models).toContainEqual(expect.objectContaining({ model_id: 'org/big', over_budget: true }));
  });

  longTest('are accepted only if they are valid, and only up to the limit of the store', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const host = await world.hostInProcess();
    const bad: readonly unknown[] = [copies(1001), 'many', [{ ...copy(1), size_bytes: -1 }], [{ ...copy(1), in_use: 'yes' }], [5]];
    for (const told of bad) expect((await post(host.url, '/nodes/n1', { ...report, copies: told })).status).toBe(400);
    const padded = { ...report, copies: copies(1000).map((one) => ({ ...one, more: 'x'.repeat(1000) })) };
    expect((await post(host.url, '/nodes/n1', padded)).status).toBe(413);
    // An invalid name is dropped, and the rest counts.
    const named = ['../../etc', 'x'.repeat(300)].map((model_id) => ({ ...copy(2), model_id }));
    expect((await post(host.url, '/nodes/n1', { ...report, copies: [copy(1), ...named] })).status).toBe(200);
    expect((await nodesOf(host.url))['n1']).toMatchObject({ copies: [copy(1)], budget_bytes: null });
    for (let node = 2; node <= 12; node += 1)
      expect((await post(host.url, `/nodes/n${node}`, { ...report, copies: copies(1000) })).status).toBe(200);
    const known = Object.values(await nodesOf(host.url)).map(({ copies: told }) => told?.length ?? null);
    expect(known.filter((count) => count === 1000)).toHaveLength(9);
    expect(known.filter((count) => count === null)).toHaveLength(2);
    // The other fields of the report of such a node count.
    expect((await nodesOf(host.url))['n12']).toMatchObject({ staged_models: 1, copies: null });
    // A node that sends no list has no known copies.
    expect((await post(host.url, '/nodes/n1', report)).status).toBe(200);
    expect((await nodesOf(host.url))['n1']).toMatchObject({ staged_models: 1, copies: null });
  });
});

describe('a purge on one node', () => {
  usualTest('leaves the copies of other nodes, and refuses an unknown node by name', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    await world.add('org/two');
    const host = await world.hostInProcess();
    for (const name of ['n1', 'n2']) {
      await world.nodeInProcess(name, host.url);
      expect(await world.node(name, host.url, 'stage', 'org/one', 'org/two')).toMatchObject({ status: 0 });
    }
    const answer = await post(host.apiUrl, '/store/purge-staging?wait_ms=60000', { model_id: 'org/one', nodes: ['n1'] });
    expect([answer.status, answer.json()]).toEqual([
      200,
      expect.objectContaining({ nodes: [expect.objectContaining({ node: 'n1', status: 'done', freed_bytes: 10 })] }),
    ]);
    expect([await world.copies('n1'), await world.copies('n2')]).toEqual([['org--two'], ['org--one', 'org--two']]);
    // The machine that sends the request is not included, although it is a node as well.
    const asked = await world.node('n2', host.url, 'purge-staging', '--node', 'n1', '--wait', '1m', '--yes', '--json');
    expect(asked.status, asked.stderr).toBe(0);
    expect([await world.copies('n1'), await world.copies('n2')]).toEqual([[], ['org--one', 'org--two']]);
    const stranger = await world.node('laptop', host.url, 'purge-staging', '--node', 'n2', '--wait', '1m', '--yes');
    expect(stranger.status, stranger.stderr).toBe(0);
    expect(await world.copies('n2')).toEqual([]);

    expect(await world.host('purge-staging', '--node', 'nobody', '--yes')).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringContaining('no node has the name or id nobody'),
    });
    for (const [args, says] of [
      [['--node', '../x', '--yes'], 'is not a node id'],
      [['--node', 'n1', '--all-nodes', '--yes'], 'cannot be combined'],
      [['--node', 'n1'], 'needs --yes'],
    ] as const)
      expect(await world.host('purge-staging', ...args)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(says) });
    for (const [nodes, status] of [
      [['nobody'], 404],
      [['n1', 'nobody'], 404],
      [['../x'], 400],
      [[], 400],
      ['n1', 400],
      [[5], 400],
    ] as const) {
      for (const [url, target, body] of [
        [host.apiUrl, '/store/purge-staging?wait_ms=0', { nodes }],
        [host.url, '/orders', { kind: 'purge', nodes }],
      ] as const)
        expect([nodes, target, (await post(url, target, body)).status]).toEqual([nodes, target, status]);
    }
  });

  usualTest('that is away is pending, and listed until it is done', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const host = await world.hostInProcess();
    expect(await world.node('laptop', host.url, 'stage', 'org/one')).toMatchObject({ status: 0 });
    expect((await ask(host.url, '/orders')).json()).toEqual([]);
    expect(await world.host('purge-staging', '--node', 'laptop', '--yes')).toMatchObject({ status: 9 });
    expect((await ask(host.url, '/orders')).json()).toEqual([
      expect.objectContaining({ kind: 'purge', model_id: null, nodes: [expect.objectContaining({ node: 'laptop', status: 'pending' })] }),
    ]);
    expect(await world.node('laptop', host.url, 'reconcile')).toMatchObject({ status: 0 });
    expect((await ask(host.url, '/orders')).json()).toEqual([]);
    expect(await world.copies('laptop')).toEqual([]);
  });
});
