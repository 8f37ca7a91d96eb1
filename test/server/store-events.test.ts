import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { listenTo } from '../helpers/event-source.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { adminKeyOf } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

interface Registry {
  readonly entries: readonly { model_id: string; total_bytes: number; tags: string[]; file_count: number }[];
}
interface Downloads {
  readonly downloads: readonly {
    modelId: string;
    status: string;
    bytes_done: number;
    bytes_per_second: number | null;
    error: string | null;
  }[];
}
interface Nodes {
  readonly nodes: readonly {
    node_id: string;
    connected: boolean;
    pending_orders: number;
    copies: readonly { model_id: string }[] | null;
  }[];
}
interface Orders {
  readonly orders: readonly { order_id: string; model_id: string | null }[];
}
interface Storage {
  readonly models: readonly { model_id: string; in_use: boolean }[];
  readonly budget_bytes: number | null;
}
interface Staging {
  readonly jobs: readonly { model_id: string; status: string; doing: string | null; path: string | null; error_code: string | null }[];
}
interface Configured {
  readonly config: { model_store: { staging: { staging_keep_recent_gb: number } } };
}

const json = { 'content-type': 'application/json' };
const send = (url: string, target: string, body: unknown) =>
  ask(url, target, { method: 'POST', headers: json, body: JSON.stringify(body) });
const ids = ({ entries }: Registry): readonly string[] => entries.map(({ model_id }) => model_id);

describe('the event stream of a store', () => {
  usualTest(
    'begins with the complete state, and follows models, downloads, nodes and orders, on both ports and through a node',
    async () => {
      const world = await hubWorld();
      world.hub.push('org/big', {
        files: { 'config.json': '{}', 'w.safetensors': { size: 12 * 1024 * 1024, read: (from, to) => Buffer.alloc(to - from, 7) } },
      });
      world.hub.rate = 2 * 1024 * 1024;
      world.hub.holdsEnds = true;
      const host = await world.serveInProcess();
      const node = await serveInProcess({
        home: join(world.home, 'n1'),
        args: ['--role', 'node'],
        env: { SKULK_STORE: host.url, HF_ENDPOINT: world.hub.url },
      });
      onTestFinished(() => node[Symbol.asyncDispose]());
      const sources = await Promise.all([host.url, host.apiUrl, node.apiUrl].map((url) => listenTo(`${url}/store/events`)));
      for (const source of sources) {
        await source.until<Registry>('registry', ({ entries }) => entries.length === 0);
        await source.until<{ storePath: string; freeBytes: number }>('health', ({ storePath }) => storePath === host.storePath);
        await source.until<Nodes>('nodes', ({ nodes }) => nodes.filter(({ connected }) => connected).length === 2);
      }
      const askedAt = performance.now();
      // A second client sends a request; all listeners get the event.
      expect((await ask(host.apiUrl, '/store/models/org%2Fbig/download', { method: 'POST' })).status).toBe(200);
      for (const source of sources) {
        await source.until<Downloads>('downloads', ({ downloads }) =>
          downloads.some((one) => one.status === 'downloading' && one.bytes_done > 1024 * 1024 && one.bytes_per_second !== null),
        );
      }
      world.hub.rate = 0;
      world.hub.holdsEnds = false;
      for (const source of sources) {
        await source.until<Downloads>('downloads', ({ downloads }) => downloads[0]?.status === 'complete');
        const told = await source.until<Registry>('registry', (registry) => ids(registry).includes('org/big'));
        expect(told.entries).toEqual([expect.objectContaining({ model_id: 'org/big', file_count: 2, tags: [] })]);
        expect(JSON.stringify(told)).not.toContain('w.safetensors');
        // The progress is a few events a second, not one for each block.
        const most = 10 + (performance.now() - askedAt) / 300;
        expect(source.events.filter(({ name }) => name === 'downloads').length).toBeLessThan(most);
      }
      expect(await world.node(host, 'n1', 'stage', 'org/big').exited).toMatchObject({ status: 0 });
      await world.node(host, 'laptop', 'stage', 'org/big').exited;
      for (const source of sources) {
        await source.until<Nodes>('nodes', ({ nodes }) => nodes.filter(({ copies }) => copies?.[0]?.model_id === 'org/big').length === 2);
      }
      await ask(host.apiUrl, '/store/models/org%2Fbig?wait_ms=0', { method: 'DELETE' });
      for (const source of sources) {
        await source.until<Registry>('registry', ({ entries }) => entries.length === 0);
        await source.until<Orders>('orders', ({ orders }) => orders.length === 1 && orders[0]?.model_id === 'org/big');
        await source.until<Nodes>('nodes', ({ nodes }) => nodes.some((one) => one.pending_orders === 1));
      }
      // The laptop, which has no agent, still has a pending order.
      await world.node(host, 'laptop', 'reconcile').exited;
      for (const source of sources) await source.until<Orders>('orders', ({ orders }) => orders.length === 0);
      // The events of a stopped node end.
      const second = await serveInProcess({ home: join(world.home, 'n2'), args: ['--role', 'node'], env: { SKULK_STORE: host.url } });
      const passed = await listenTo(`${second.apiUrl}/store/events`);
      await passed.until<Registry>('registry', () => true);
      expect(await second.stop()).toMatchObject({ status: 0 });
      await passed.ended;
      // They end with the server, and a node gives the reason.
      await host.stop();
      await Promise.all(sources.map(({ ended }) => ended));
      await expect(listenTo(`${node.apiUrl}/store/events`)).rejects.toThrow(/503 .*Store unreachable/);
    },
  );

  longTest('reports changes of another process on the disk', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const host = await world.hostInProcess();
    const source = await listenTo(`${host.apiUrl}/store/events`);
    await source.until<Registry>('registry', (registry) => ids(registry).includes('org/one'));
    const path = join(world.home, 'host/store/registry.json');
    const entries = JSON.parse(await readFile(path, 'utf8')) as Record<string, object>;
    await writeFile(path, JSON.stringify({ ...entries, 'org/one': { ...entries['org/one'], downloaded_at: '2020-01-01T00:00:00Z' } }));
    await source.until<{ entries: readonly { downloaded_at: string }[] }>('registry', (registry) =>
      registry.entries.some(({ downloaded_at }) => downloaded_at === '2020-01-01T00:00:00Z'),
    );
  });

  usualTest('is refused to pages of other sites, to foreign host names, and without the token', async () => {
    const home = await temporaryDirectory();
    const host = await serveInProcess({ home: join(home, 'open') });
    onTestFinished(() => host[Symbol.asyncDispose]());
    for (const target of ['/store/events', '/node/events', '/store/hub/org%2Fm', '/store/hub/org/m']) {
      for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'http://evil.example' }, { host: 'evil.example' }])
        expect([target, (await ask(host.apiUrl, target, { headers: headers as Record<string, string> })).status]).toEqual([target, 403]);
      expect((await ask(host.apiUrl, target, { method: 'POST' })).status).toBe(405);
    }
    const own = { origin: host.apiUrl, 'sec-fetch-site': 'same-origin' };
    expect((await listenTo(`${host.apiUrl}/store/events`, own)).status).toBe(200);
    const closed = await serveInProcess({ home: join(home, 'closed'), env: { SKULK_TOKEN: 'a-good-token' } });
    onTestFinished(() => closed[Symbol.asyncDispose]());
    for (const target of ['/store/events', '/node/events', '/node/stage', '/config/schema', '/store/models/a%2Fb', '/store/orders'])
      expect([target, (await ask(closed.apiUrl, target)).status]).toEqual([target, 401]);
    expect((await listenTo(`${closed.apiUrl}/node/events`, { authorization: 'Bearer a-good-token' })).status).toBe(200);
  });

  longTest('is made by the node itself if the store has no API', async () => {
    const { createServer } = await import('node:http');
    const entry = { model_id: 'org/one', store_path: 'org--one', files: ['a.gguf'], downloaded_at: '', total_bytes: 3 };
    let entries = [entry];
    const python = createServer((request, answer) => {
      const says = (value: unknown): void => void answer.setHeader('Content-Type', 'application/json').end(JSON.stringify(value));
      if (request.url === '/health') return says({ store_path: '/x', free_bytes: 1, total_bytes: 2, used_bytes: 1 });
      if (request.url === '/registry') return says(entries);
      if (request.url?.startsWith('/downloads') === true) return says([]);
      answer.writeHead(404).end('404: Not Found');
    });
    await new Promise<void>((listening) => void python.listen(0, '127.0.0.1', listening));
    onTestFinished(() => {
      python.close();
      python.closeAllConnections();
    });
    const { port } = python.address() as { port: number };
    const home = await temporaryDirectory();
    const node = await serveInProcess({ home, args: ['--role', 'node'], env: { SKULK_STORE: `http://127.0.0.1:${port}` } });
    onTestFinished(() => node[Symbol.asyncDispose]());
    const source = await listenTo(`${node.apiUrl}/store/events`);
    await source.until<Registry>('registry', (registry) => ids(registry).includes('org/one'));
    await source.until<Nodes>('nodes', ({ nodes }) => nodes.length === 0);
    entries = [];
    await source.until<Registry>('registry', (registry) => ids(registry).length === 0);
  });
});

describe('the event stream of a node', () => {
  longTest('reports its copies, its settings and its stages, including started and stopped ones', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    await world.add('org/big');
    const host = await world.hostInProcess();
    const env = {
      SKULK_HOME: join(world.home, 'n1'),
      SKULK_NODE_ID: 'n1',
      SKULK_STORE: host.url,
      XDG_CONFIG_HOME: join(world.home, 'xdg'),
    };
    const node = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env });
    onTestFinished(() => node[Symbol.asyncDispose]());
    const source = await listenTo(`${node.apiUrl}/node/events`);
    await source.until<Storage>('storage', ({ models, budget_bytes }) => models.length === 0 && budget_bytes === 40 * 1024 ** 3);
    await source.until<Staging>('staging', ({ jobs }) => jobs.length === 0);

    const asked = await send(node.apiUrl, '/node/stage', { model_id: 'org/one' });
    expect([asked.status, asked.json()]).toEqual([202, expect.objectContaining({ model_id: 'org/one' })]);
    const { jobs } = await source.until<Staging>('staging', (staging) => staging.jobs[0]?.status === 'complete');
    expect(jobs).toEqual([expect.objectContaining({ path: join(world.home, 'n1/staging/org--one'), source: 'store', error: null })]);
    await source.until<Storage>('storage', ({ models }) => models[0]?.model_id === 'org/one');
    expect(await world.copies('n1')).toEqual(['org--one']);

    // Changes by another process on this node are reported as well.
    expect(await world.node('n1', host.url, 'activate', 'org/one', '--pid', String(process.pid))).toMatchObject({ status: 0 });
    await source.until<Storage>('storage', ({ models }) => models[0]?.in_use === true);
    const put = await ask(node.apiUrl, '/config', {
      method: 'PUT',
      headers: { ...json, authorization: `Bearer ${await adminKeyOf(join(world.home, 'n1'))}` },
      body: JSON.stringify({ model_store: { staging: { staging_keep_recent_gb: 7 } } }),
    });
    expect(put.status).toBe(200);
    await source.until<Configured>('config', ({ config }) => config.model_store.staging.staging_keep_recent_gb === 7);
    // A budget needs no restart, so it is in effect here too.
    await source.until<Storage>('storage', ({ budget_bytes }) => budget_bytes === 7 * 1024 ** 3);

    for (const [body, status, code] of [
      [{ model_id: '../x' }, 400, 'BAD_MODEL_ID'],
      [{ model_id: 'org/one', selector: '../x.gguf' }, 400, 'BAD_PATH'],
      [{ model_id: 'org/one', revision: 'a b' }, 400, 'USAGE'],
      [{ model_id: 'org/one', more: 1 }, 400, 'BAD_REQUEST'],
      [{}, 400, 'BAD_REQUEST'],
      [[], 400, 'BAD_REQUEST'],
      [{ model_id: 'x'.repeat(100_000) }, 413, 'BAD_REQUEST'],
    ] as const) {
      const refused = await send(node.apiUrl, '/node/stage', body);
      expect([refused.status, refused.json()]).toEqual([status, expect.objectContaining({ code })]);
    }
    const page = { method: 'POST', headers: { ...json, origin: 'http://evil.example' }, body: '{"model_id":"org/big"}' };
    expect((await ask(node.apiUrl, '/node/stage', page)).status).toBe(403);
    expect((await ask(node.apiUrl, '/node/stage/org/nobody', { method: 'DELETE' })).status).toBe(404);
    expect((await ask(node.apiUrl, '/node/stage/org%2Fone', { method: 'DELETE' })).status).toBe(409);
    expect((await send(node.apiUrl, '/node/stage', { model_id: 'org/nobody' })).status).toBe(202);
    await source.until<Staging>('staging', (staging) => staging.jobs.some(({ error_code }) => error_code === 'MODEL_NOT_FOUND'));
    expect(((await ask(node.apiUrl, '/node/stage')).json() as Staging).jobs.map(({ status }) => status)).toEqual(['complete', 'failed']);
  });

  usualTest('continues if the copies cannot be read, and reports why', async () => {
    const home = await temporaryDirectory();
    const config = join(home, 'skulk.yaml');
    await writeFile(join(home, 'no-directory'), '');
    await writeFile(config, `model_store:\n  staging: {node_cache_path: ${home}/no-directory}\n`);
    const node = await serveInProcess({ home: join(home, 'n1'), args: ['--role', 'node'], env: { SKULK_CONFIG: config } });
    onTestFinished(() => node[Symbol.asyncDispose]());
    const source = await listenTo(`${node.apiUrl}/node/events`);
    await source.until<{ problem: string | null }>('storage', ({ problem }) => problem?.includes('no-directory') === true);
    await source.until<Configured>('config', () => true);
  });

  longTest('shows a running stage that is joined, stopped on request, and ended with the server', async () => {
    const world = await hubWorld();
    world.hub.push('org/slow', {
      files: { 'w.safetensors': { size: 64 * 1024 * 1024, read: (from, to) => Buffer.alloc(to - from, 7) } },
    });
    world.hub.holdsEnds = true;
    const host = await world.serveInProcess();
    const source = await listenTo(`${host.apiUrl}/node/events`);
    const stage = (body: object) => send(host.apiUrl, '/node/stage', { model_id: 'org/slow', ...body });
    expect((await stage({})).status).toBe(202);
    await source.until<Staging>('staging', ({ jobs }) => jobs[0]?.doing === 'downloading');
    expect((await stage({})).status).toBe(202);
    expect((await stage({ revision: 'v2' })).status).toBe(409);
    const stopped = await ask(host.apiUrl, '/node/stage/org/slow', { method: 'DELETE' });
    expect([stopped.status, stopped.json()]).toEqual([200, expect.objectContaining({ status: 'failed', error_code: 'CANCELLED' })]);
    await source.until<Staging>('staging', ({ jobs }) => jobs[0]?.error_code === 'CANCELLED');
    expect((await stage({})).status).toBe(202);
    await source.until<Staging>('staging', ({ jobs }) => jobs[0]?.status === 'staging');
    // Its bytes would never end.
    expect(await host.stop()).toMatchObject({ status: 0 });
  });

  longTest('shows a clone on the store host, or the canonical copy if models are used in place', async () => {
    const world = await fleetWorld();
    await world.add('org/one');
    const store = join(world.home, 'host/store');
    const host = await world.hostInProcess();
    await send(host.apiUrl, '/node/stage', { model_id: 'org/one' });
    const source = await listenTo(`${host.apiUrl}/node/events`);
    const { jobs } = await source.until<Staging>('staging', (staging) => staging.jobs[0]?.status === 'complete');
    expect(jobs[0]).toMatchObject({ source: 'clone', path: join(world.home, 'host/staging/org--one') });
    await host.stop();
    const config = join(world.home, 'in-place.yaml');
    await writeFile(config, `model_store:\n  store_path: ${store}\n  staging: {node_cache_path: ${store}}\n`);
    const env = { SKULK_HOME: join(world.home, 'host'), SKULK_CONFIG: config };
    const again = await serveInProcess({ home: join(world.home, 'host'), env });
    onTestFinished(() => again[Symbol.asyncDispose]());
    await send(again.apiUrl, '/node/stage', { model_id: 'org/one' });
    const other = await listenTo(`${again.apiUrl}/node/events`);
    const done = await other.until<Staging>('staging', (staging) => staging.jobs[0]?.status === 'complete');
    expect(done.jobs[0]).toMatchObject({ source: 'in-place', path: join(store, 'org--one') });
    expect(await runInProcess(['verify'], { env })).toMatchObject({ status: 0 });
  });
});
