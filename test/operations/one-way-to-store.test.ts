import { expect, vi } from 'vitest';
import type { AnnouncedStore, discoverStores } from '../../src/core/connect/mdns.ts';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { reconcile } from '../../src/core/operations/nodes/reconcile.ts';
import { runModel } from '../../src/core/operations/stage/run-model.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { serveThroughProxy, stagingNode } from '../helpers/staging-node.ts';

const lan = vi.hoisted(() => ({ listens: 0, stores: [] as AnnouncedStore[] }));

// A real LAN may have other stores, and a sandbox has none.
vi.mock('../../src/core/connect/mdns.ts', () => ({
  discoverStores: (async () => {
    lan.listens += 1;
    return lan.stores;
  }) satisfies typeof discoverStores,
}));

const models = { 'org/m': { 'a.bin': 'first' }, 'org/n': { 'b.bin': 'other' } };

usualTest('a stage of a small model opens two connections to the store, and one of an existing copy opens one', async () => {
  const { proxy } = await serveThroughProxy(models);
  const cold = await stagingNode(proxy.url);
  expect(await cold.stage('org/m')).toMatchObject({ source: 'store' });
  // Its orders, the manifest, the file, a check that the model still exists, and the report of its copies.
  expect(proxy.requests.map((line) => line.replace(/^(\w+ \/\w+).*/, '$1'))).toEqual([
    'POST /nodes',
    'GET /models',
    'GET /models',
    'GET /models',
    'POST /nodes',
  ]);
  expect(proxy.connections()).toBe(2);

  const warm = await stagingNode(proxy.url, { home: cold.home });
  expect(await warm.stage('org/m')).toMatchObject({ source: 'cache' });
  expect(proxy.connections()).toBe(3);
});

usualTest('commands with several requests to the store reuse their connections', async () => {
  const { proxy } = await serveThroughProxy(models);
  const node = await stagingNode(proxy.url);
  const request = { command: [process.execPath, '-e', ''], offline: false, output: () => undefined, takeSignals: () => () => undefined };
  expect(await runModel(node.deps, { ...request, ref: parseModelRef('org/m') })).toEqual({ status: 0 });
  expect(proxy.connections()).toBe(2);

  const other = await stagingNode(proxy.url, { home: node.home });
  await reconcile(other.deps, { dryRun: false, receiveOrders: true });
  expect(proxy.connections()).toBe(3);
});

usualTest(
  'the cleanup of a server leaves the report of the copies to its agent, and the command reports them after it evicted some',
  async () => {
    const { proxy } = await serveThroughProxy(models);
    const node = await stagingNode(proxy.url, { content: { model_store: { staging: { staging_keep_recent_gb: 0 } } } });
    const reports = (): number => proxy.requests.filter((line) => /^POST \/nodes\/[^/]+$/.test(line)).length;
    for (const [receiveOrders, expected] of [
      [false, 0],
      [true, 2],
    ] as const) {
      await node.stage('org/m');
      const before = reports();
      const { evicted } = await reconcile(node.deps, { dryRun: false, receiveOrders });
      expect([evicted.length, reports() - before]).toEqual([1, expected]);
    }
  },
);

usualTest('a store that restarted between two requests of a command is asked again', async () => {
  const { proxy } = await serveThroughProxy(models);
  const node = await stagingNode(proxy.url);
  await node.stage('org/m');
  await proxy.stop();
  await proxy.start();
  expect(await node.stage('org/n')).toMatchObject({ source: 'store' });
});

longTest('a stage on a machine without a configuration searches for a store once, with or without a result', async () => {
  const { proxy } = await serveThroughProxy(models);
  lan.stores = [{ url: proxy.url, hostname: 'kite3', node_id: 'k', version: '1' }];
  const node = await stagingNode(undefined, { env: { SKULK_NO_DISCOVERY: '' } });
  expect(await node.stage('org/m')).toMatchObject({ source: 'store' });
  expect(lan.listens).toBe(1);
  expect(proxy.connections()).toBe(2);

  [lan.listens, lan.stores] = [0, []];
  const alone = await stagingNode(undefined, { env: { HF_HUB_OFFLINE: '1', SKULK_NO_DISCOVERY: '' } });
  await expect(alone.stage('org/m')).rejects.toMatchObject({ code: 'STORE_NOT_CONFIGURED' });
  expect(lan.listens).toBe(1);
});
