import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { adminKeyOf } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';

const json = { 'content-type': 'application/json' };
const report = { hostname: 'kite', version: '1', agent: false, staged_models: 1, staged_bytes: 2, free_bytes: 3 };
const evicted = { model_id: 'org/one', selector: null, freed_bytes: 1 };
const order = '0123456789abcdef01234567';

usualTest('the routes of nodes and orders refuse an invalid id, report or answer', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  const post = (target: string, body: unknown) => ask(host.url, target, { method: 'POST', headers: json, body: JSON.stringify(body) });
  expect((await post('/nodes/n1', report)).json()).toEqual({ orders: [] });

  const bad: readonly (readonly [target: string, body: unknown, status: number])[] = [
    ['/nodes/..%2F..%2Fetc', report, 400],
    ['/nodes/-n', report, 400],
    [`/nodes/${'n'.repeat(65)}`, report, 400],
    ['/nodes/n1', { ...report, hostname: 'x'.repeat(300) }, 400],
    ['/nodes/n1', { ...report, staged_bytes: -1 }, 400],
    ['/nodes/n1', { ...report, hostname: undefined }, 400],
    ['/nodes/n1', { ...report, agent: 'yes' }, 400],
    ['/nodes/n1', { ...report, free_bytes: undefined }, 400],
    ['/nodes/n1', { ...report, more: 1 }, 400],
    ['/nodes/n1', [], 400],
    ['/nodes/-n/evictions', { evicted: [evicted], budget_bytes: 0 }, 400],
    ['/nodes/n1/evictions', { evicted: [], budget_bytes: 0 }, 400],
    ['/nodes/n1/evictions', { evicted: Array(201).fill(evicted), budget_bytes: 0 }, 400],
    ['/nodes/n1/evictions', { evicted: [{ ...evicted, model_id: '../x' }], budget_bytes: 0 }, 400],
    ['/nodes/n1/evictions', { evicted: [evicted] }, 400],
    ['/nodes/n1/orders/..%2Fx', { status: 'done', freed_bytes: 0, reason: null }, 400],
    [`/nodes/n1/orders/${order}`, { status: 'done', freed_bytes: 0, reason: null }, 404],
    [`/nodes/n1/orders/${order}`, { status: 'won', freed_bytes: 0, reason: null }, 400],
    ['/orders', { kind: 'evict', model_id: 'org/one' }, 400],
    ['/orders', { kind: 'purge', model_id: '../x' }, 400],
    ['/orders', { kind: 'purge', force: 'yes' }, 400],
    ['/orders', {}, 400],
  ];
  for (const [target, body, status] of bad) {
    const answer = await post(target, body);
    expect([target, answer.status]).toEqual([target, status]);
    expect(answer.json()).toMatchObject({ detail: expect.any(String), code: expect.any(String) });
  }
  expect((await ask(host.url, `/orders/${order}`)).status).toBe(404);
  const key = { Authorization: `Bearer ${await adminKeyOf(host.home)}` };
  expect((await ask(host.url, '/nodes/nobody', { method: 'DELETE' })).status).toBe(403);
  expect((await ask(host.url, '/nodes/nobody', { method: 'DELETE', headers: key })).status).toBe(404);
  expect((await ask(host.url, '/models/org/one?wait_ms=soon', { method: 'DELETE' })).status).toBe(400);
  expect(await world.canonical()).toEqual(['org--one']);
  expect((await post('/orders', { kind: 'purge', model_id: 'org/one' })).json()).toMatchObject({ kind: 'purge', model_id: 'org/one' });
  const purge = (body: unknown) =>
    ask(host.apiUrl, '/store/purge-staging?wait_ms=0', { method: 'POST', headers: json, body: JSON.stringify(body) });
  expect((await purge({ model_id: '../x' })).status).toBe(400);
  expect((await purge({ models: [] })).status).toBe(400);
  expect(await purge({})).toMatchObject({ status: 200 });
  // A web page of another site is refused.
  const page = await ask(host.apiUrl, '/store/purge-staging', { method: 'POST', headers: { origin: 'http://evil.example' } });
  expect(page.status).toBe(403);
});

longTest('a damaged log of orders loses only the damaged lines', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  let host = await world.serveHost();
  const post = (target: string, body: unknown) => ask(host.url, target, { method: 'POST', headers: json, body: JSON.stringify(body) });
  await post('/nodes/n1', report);
  const first = (await post('/orders', { kind: 'purge', model_id: 'org/one' })).json() as { order_id: string };
  await host.kill();
  const log = join(world.home, 'host/store/.skulk/v1/fleet/orders.ndjson');
  await writeFile(log, `not JSON\n{"order":5}\n${await readFile(log, 'utf8')}{"order":{"order_id":"cut`);
  host = await world.serveHost();
  const asked = (await post('/nodes/n1', report)).json() as { orders: { order_id: string }[] };
  expect(asked.orders.map(({ order_id }) => order_id)).toEqual([first.order_id]);
  const second = (await post('/orders', { kind: 'purge' })).json() as { seq: number };
  expect(second.seq).toBe(2);
  await host.kill();
  await writeFile(join(world.home, 'host/store/.skulk/v1/fleet/nodes.json'), '[');
  host = await world.serveHost();
  expect((await ask(host.url, '/nodes')).json()).not.toContainEqual(expect.objectContaining({ node_id: 'n1' }));
  // The second covers the first.
  expect(((await post('/nodes/n1', report)).json() as { orders: unknown[] }).orders).toMatchObject([{ seq: 2 }]);
});

usualTest('a node is listed with its address, and the machine of the server without one', async () => {
  const world = await fleetWorld();
  const host = await world.hostInProcess();
  for (const name of ['n1', 'host'])
    await ask(host.url, `/nodes/${name}`, { method: 'POST', headers: json, body: JSON.stringify({ ...report, hostname: name }) });
  const nodes = (await ask(host.url, '/nodes')).json() as { node_id: string; address: string | null }[];
  expect(Object.fromEntries(nodes.map(({ node_id, address }) => [node_id, address]))).toEqual({ n1: '127.0.0.1', host: null });
});

usualTest('a node that carries out an order at `reconcile` then reports the copies that it still has', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  await world.add('org/two');
  const host = await world.hostInProcess();
  expect(await world.node('n1', host.url, 'stage', 'org/one', 'org/two')).toMatchObject({ status: 0 });
  await ask(host.url, '/orders', { method: 'POST', headers: json, body: JSON.stringify({ kind: 'purge', model_id: 'org/one' }) });
  expect(await world.node('n1', host.url, 'reconcile')).toMatchObject({ status: 0 });
  const nodes = (await ask(host.url, '/nodes')).json() as { node_id: string }[];
  expect(nodes.find(({ node_id }) => node_id === 'n1')).toMatchObject({ staged_models: 1, copies: [{ model_id: 'org/two' }] });
});
