import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { digestFiles } from '../../src/core/catalog/manifest.ts';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import { makeIncomingPlace } from '../../src/core/store/ingest/incoming.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { listApi } from '../../tools/docs/list-api.ts';
import { listOperations } from '../../tools/docs/openapi.ts';
import { type AnswerChecker, answerChecker, hasNoDocument } from '../helpers/answer-checker.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { adminKeyOf } from '../helpers/page-link.ts';
import { fullWeights, type GatedQuantizer, gatedQuantizer } from '../helpers/quantizer.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { acceptsAnything, type DescribedSchema } from '../helpers/strict-schema.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';

type Check = AnswerChecker<'store' | 'api' | 'node'>;
const everywhere = ['store', 'api', 'node'] as const;
/** The file server and the API of a store host, which a node does not forward. */
const onHost = ['store', 'api'] as const;
const onNodes = ['api', 'node'] as const;

/** Makes and stops variants; the program waits at a gate. */
async function optimizeAndStop({ request }: Check, gated: GatedQuantizer): Promise<void> {
  const url = '/store/models/org%2Ffull/optimize';
  for (const server of everywhere) {
    await request(server, 'POST /store/models/:id/optimize/plan', `${url}/plan`, { body: { type: 'Q8_0' } });
    await request(server, 'POST /store/models/:id/optimize', url, { body: { type: 'Q8_0' } });
    await request(server, 'GET /store/optimizations', '/store/optimizations?recent=true');
    await request(server, 'GET /store/models/:id/optimize/status', `${url}/status`);
    await request(server, 'DELETE /store/models/:id/optimize', url);
  }
  await request('store', 'POST /store/models/:id/optimize', url, { body: { type: 'Q8_0' } });
  await gated.open();
  await until('the variant', async () => {
    const { status } = await request<{ status: string }>('store', 'GET /store/models/:id/optimize/status', `${url}/status`);
    return status === 'complete';
  });
  for (const server of everywhere) await request(server, 'GET /store/models/:id', '/store/models/org%2Ffull-Q8_0-GGUF');
  await request('store', 'GET /models/:id/manifest', '/models/org%2Ffull-Q8_0-GGUF/manifest');
}

/** Whether a route makes variants, which need an engine. */
const wantsEngine = (route: string): boolean => route.includes('/optimize');

/** A store host with four models, and a Hub with another one whose second chunk never comes, and a node. */
async function smallLan() {
  const gated = await gatedQuantizer();
  const world = await hubWorld({ SKULK_ENGINE_LLAMA: gated.program });
  const { hub, home } = world;
  hub.push('org/slow', { files: { 'config.json': '{"model_type":"llama"}', 'slow-Q4_K_M.gguf': noise(chunkSize + 100, 7) } });
  hub.fault = ({ path, request: { headers } }) => path.endsWith('.gguf') && headers.range?.startsWith('bytes=0-') !== true;
  await writeFiles(join(home, 'model'), { 'one-Q4_K_M.gguf': noise(2000), 'config.json': '{"model_type":"llama"}' });
  const many = Object.fromEntries(['Q2_K', 'Q4_K_M', 'Q5_K_M', 'Q8_0'].map((label) => [`m-${label}.gguf`, noise(100)]));
  await writeFiles(join(home, 'many'), many);
  expect((await world.host('add', join(home, 'many'), '--as', 'org/many')).status).toBe(0);
  for (const id of ['org/one', 'org/two']) expect((await world.host('add', join(home, 'model'), '--as', id)).status).toBe(0);
  expect((await world.host('add', await fullWeights('full'), '--as', 'org/full')).status).toBe(0);
  await writeFiles(join(home, 'deep'), { 'sub/a.bin': noise(100), 'config.json': '{}' });
  expect((await world.host('add', join(home, 'deep'), '--as', 'org/deep')).status).toBe(0);
  const host = await world.serveInProcess({ SKULK_NODE_ID: 'host' });
  const node = await serveInProcess({
    home: join(home, 'n1'),
    args: ['--role', 'node'],
    env: { SKULK_STORE: host.url, SKULK_NODE_ID: 'n1', HF_ENDPOINT: hub.url },
  });
  const bearer = await adminKeyOf(host.home);
  const check = await answerChecker({
    store: { url: host.url, bearer },
    api: { url: host.apiUrl, bearer },
    node: { url: node.apiUrl, bearer: await adminKeyOf(node.home) },
  });
  return { host, node, check, gated };
}

/** An order that stays pending, because its node does not come back. */
async function giveOrder({ request, readLine }: Check): Promise<string> {
  const body = {
    hostname: 'away',
    version: '1',
    agent: false,
    staged_models: 1,
    staged_bytes: 5,
    free_bytes: 5,
    copies: [{ model_id: 'org/one', size_bytes: 5, last_used: '2026-01-01T00:00:00.000Z', in_use: true, over_budget: false }],
    budget_bytes: null,
  };
  await request('store', 'POST /nodes/:node', '/nodes/away', { body });
  const evicted = [{ model_id: 'org/one', selector: null, freed_bytes: 5 }];
  await request('store', 'POST /nodes/:node/evictions', '/nodes/away/evictions', { body: { evicted, budget_bytes: 5 } });
  const wanted = { kind: 'purge', model_id: 'org/one', nodes: ['away'] };
  const { order_id } = await request<{ order_id: string }>('store', 'POST /orders', '/orders', { body: wanted });
  await request('store', 'POST /nodes/:node', '/nodes/away', { body });
  await readLine('store', 'GET /nodes/:node/orders', '/nodes/away/orders');
  await request('store', 'GET /orders/:order', `/orders/${order_id}`);
  return order_id;
}

const piece = noise(300, 3);
const files = [{ path: 'a.bin' as RelativePath, size: piece.length, sha256: sha256(piece) as Sha256 }];

/** Announces a model that then waits for its only piece. */
async function announce({ request }: Check, model_id: string) {
  const facts = { revision: null, commit: null, source: 'add', created_at: '2026-01-01T00:00:00.000Z' };
  const body = { version: 1, model_id, digest: digestFiles(files), ...facts, chunk_size: chunkSize, files };
  const url = `/uploads/${encodeURIComponent(model_id)}`;
  const { upload } = await request<{ upload: string }>('store', 'PUT /uploads/:id', url, { body });
  return { id: upload, urlOf: (rest: string) => `${url}/${body.digest}/${rest}?upload=${upload}` };
}

/** Makes a copy on both nodes. */
async function stageOnBoth({ request }: Check, apis: readonly string[]): Promise<void> {
  for (const server of onNodes) await request(server, 'POST /node/stage', '/node/stage', { body: { model_id: 'org/one' }, status: 202 });
  await until('the copies', async () => {
    const jobs = await Promise.all(apis.map(async (url) => (await ask(url, '/node/stage')).body.toString('utf8')));
    return jobs.every((text) => text.includes('"complete"'));
  });
}

async function askStorePort({ request }: Check, url: string): Promise<void> {
  await until('the running download', async () => {
    const { bytes_total } = (await ask(url, '/models/org%2Fslow/download/status')).json() as { bytes_total: number };
    return bytes_total > 0;
  });
  const { run } = await until('a chunk', async () => {
    const target = '/downloads/org%2Fslow/chunks?from=0';
    const arrived = await request<{ run: string; chunks: readonly object[] }>('store', 'GET /downloads/:id/chunks', target);
    return arrived.chunks.length > 0 && arrived;
  });
  await request('store', 'GET /downloads/:id/chunks/:run/:number', `/downloads/org%2Fslow/chunks/${run}/0`);
  for (const one of ['/health', '/registry', '/models', '/downloads', '/nodes', '/orders', '/uploads'])
    await request('store', `GET ${one}`, one);
  await request('store', 'GET /downloads', '/downloads?recent=true');
  for (const one of ['files', 'manifest']) await request('store', `GET /models/:id/${one}`, `/models/org%2Fone/${one}`);
  await request('store', 'GET /models/:id/download/status', '/models/org%2Fslow/download/status');
  await request('store', 'GET /models/:id/*', '/models/org%2Fone/config.json');
  await request('store', 'POST /verify', '/verify', { body: {} });
}

/** The answers of every port about the store. */
async function askOfStore({ request, listen }: Check): Promise<void> {
  for (const server of everywhere) {
    await listen(server, '/store/events', ['registry', 'downloads', 'uploads', 'optimizations', 'nodes', 'orders', 'health']);
    for (const name of ['health', 'registry', 'uploads', 'downloads', 'optimizations', 'orders', 'nodes'])
      await request(server, `GET /store/${name}`, `/store/${name}`);
    for (const url of ['/v1/models', '/session']) await request(server, `GET ${url}`, url);
    for (const model of ['org%2Fone', 'org%2Ftwo']) await request(server, 'GET /store/models/:id', `/store/models/${model}`);
    await request(server, 'GET /store/models/:id/download/status', '/store/models/org%2Fslow/download/status');
    await request(server, 'GET /store/hub', '/store/hub?search=org');
    await request(server, 'GET /store/hub/:id', '/store/hub/org%2Fslow');
    await request(server, 'GET /store/activity', '/store/activity');
    await request(server, 'GET /store/audit', '/store/audit?limit=2');
    await request(server, 'POST /store/verify', '/store/verify', { body: { model_ids: ['org/two'] } });
    await request(server, 'POST /store/purge-staging', '/store/purge-staging?wait_ms=0', { body: { model_id: 'org/two' } });
  }
}

/** An order to stage for the node that does not come back, on every port that takes one. */
async function askToStage({ request }: Check): Promise<void> {
  const progress = { doing: 'staging', bytes_done: 1, bytes_total: 5, waits_for: null };
  for (const server of everywhere) {
    const body = { nodes: ['away'], keep_ms: 1000, revision: 'main' };
    const { order_id } = await request<{ order_id: string }>(server, 'POST /store/models/:id/stage', '/store/models/org%2Fone/stage', {
      body,
    });
    const report = `/nodes/away/orders/${order_id}/progress`;
    await request('store', 'POST /nodes/:node/orders/:order/progress', report, { body: progress });
    await request(server, 'GET /store/orders/:order', `/store/orders/${order_id}`);
    await request(server, 'DELETE /store/orders/:order', `/store/orders/${order_id}`);
  }
  const body = { kind: 'stage', model_id: 'org/one', selector: 'Q4_K_M', nodes: ['away'] };
  const { order_id } = await request<{ order_id: string }>('store', 'POST /orders', '/orders', { body });
  await request('store', 'DELETE /orders/:order', `/orders/${order_id}`);
}

/** The answers of every port to clients of the Hub. */
async function askAsHub({ request }: Check): Promise<void> {
  const model = '/api/models/org%2Fone';
  for (const server of everywhere) {
    for (const what of ['resolve', 'raw']) await request(server, `GET /:id/${what}/:revision/*`, `/org%2Fone/${what}/main/config.json`);
    await request(server, 'GET /api/models', '/api/models?search=one&limit=2');
    await request(server, 'GET /api/models/:id', `${model}?blobs=true`);
    await request(server, 'GET /api/models/:id/revision/:revision', `${model}/revision/main`);
    await request(server, 'GET /api/models/:id/tree/:revision', `${model}/tree/main?recursive=true&expand=true`);
    await request(server, 'GET /api/models/:id/tree/:revision/*', '/api/models/org%2Fdeep/tree/main/sub');
    const body = { paths: ['config.json'], expand: true };
    await request(server, 'POST /api/models/:id/paths-info/:revision', `${model}/paths-info/main`, { body });
    for (const what of ['refs', 'auth-check']) await request(server, `GET /api/models/:id/${what}`, `${model}/${what}`);
    await request(server, 'GET /api/models/:id/commits/:revision', `${model}/commits/main`);
    await request(server, 'GET /api/agent-harnesses', '/api/agent-harnesses');
    await request(server, 'GET /v2/', '/v2/');
    const route = 'GET /v2/:org/:name/manifests/:tag';
    const { config } = await request<{ config: { digest: string } }>(server, route, '/v2/org/one/manifests/Q4_K_M');
    await request(server, route, '/v2/org/one/manifests/latest', { headers: { 'User-Agent': 'llama-cpp' } });
    await request(server, route, '/v2/org/one/manifests/Q2_K', { status: 404 });
    await request(server, 'GET /v2/:org/:name/blobs/:digest', `/v2/org/one/blobs/${config.digest}`);
  }
}

/** The answers of a node about itself, and its requests. */
async function askNodes({ request, listen }: Check): Promise<void> {
  for (const server of onNodes) {
    await listen(server, '/node/events', ['storage', 'staging', 'config']);
    for (const url of ['/store/storage', '/node/identity', '/node/stage', '/config', '/config/schema'])
      await request(server, `GET ${url}`, url);
    await request(server, 'PUT /config', '/config?dry_run=true', { body: { model_store: { api_port: 52416 } } });
    const browsed = await request<{ directories: readonly { path: string }[] }>(server, 'GET /filesystem/browse', '/filesystem/browse');
    const path = encodeURIComponent(browsed.directories[0]?.path ?? '');
    await request(server, 'GET /filesystem/browse', `/filesystem/browse?path=${path}`);
    await request(server, 'POST /node/stage', '/node/stage', { body: { model_id: 'org/slow' }, status: 202 });
    await request(server, 'DELETE /node/stage/:id', '/node/stage/org%2Fslow');
  }
}

async function bringModels(check: Check, storePath: string): Promise<void> {
  const { request } = check;
  await request('store', 'POST /models/:id/swarm', '/models/org%2Fone/swarm', { body: { digest: sha256('other content') } });
  await request('store', 'GET /swarm/announce', '/swarm/announce?key=unknown');
  for (const server of everywhere) await request(server, 'GET /store/swarm', '/store/swarm');
  const first = await announce(check, 'org/up');
  await request('store', 'DELETE /uploads/:upload', `/uploads/${first.id}`);
  const { urlOf } = await announce(check, 'org/up');
  await request('store', 'PUT /uploads/:id/:digest/:file/:start', urlOf('0/0'), { body: piece, status: 204 });
  await request('store', 'POST /uploads/:id/:digest/complete', urlOf('complete'));
  await request('store', 'GET /models/:id/manifest', '/models/org%2Fup/manifest');
  const place = await makeIncomingPlace(storeLayout(storePath), parseModelId('org/three'));
  await writeFiles(place.files, { 'a.bin': 'bytes' });
  await request('store', 'POST /models/:id/place', '/models/org%2Fthree/place', { body: { incoming: place.name } });
  await request('store', 'POST /models/:id/place', '/models/org%2Fup/place');
  await request('store', 'POST /models/:id/adopt', '/models/org%2Fthree/adopt', { body: { incoming: place.name } });
  for (const server of everywhere) {
    const { id } = await announce(check, `org/up-${server}`);
    await request(server, 'DELETE /store/uploads/:upload', `/store/uploads/${id}`);
  }
}

async function endDownloadsAndRemove({ request }: Check): Promise<void> {
  await request('store', 'DELETE /models/:id/download', '/models/org%2Fslow/download');
  for (const server of everywhere) {
    await request(server, 'POST /store/models/:id/download', '/store/models/org%2Fslow/download', { body: {} });
    await request(server, 'DELETE /store/models/:id/download', '/store/models/org%2Fslow/download');
    await request(server, 'DELETE /store/downloads', '/store/downloads?model_id=org%2Fslow');
  }
  await request('store', 'DELETE /downloads', '/downloads');
  for (const [server, name] of [
    ['api', 'one'],
    ['node', 'two'],
    ['store', 'three'],
  ] as const)
    await request(server, 'DELETE /store/models/:id', `/store/models/org%2F${name}?wait_ms=0`);
  await request('store', 'DELETE /models/:id', '/models/org%2Fup?wait_ms=0');
  for (const [server, label] of [
    ['api', 'Q2_K'],
    ['node', 'Q4_K_M'],
    ['store', 'Q5_K_M'],
  ] as const)
    await request(server, 'DELETE /store/models/:id/quantizations/:selector', `/store/models/org%2Fmany/quantizations/${label}?wait_ms=0`);
  await request('store', 'DELETE /models/:id/quantizations/:selector', '/models/org%2Fmany/quantizations/m-Q8_0.gguf?wait_ms=0');
}

/** Tokens, the policy, and the keys of pages. */
async function administer({ request }: Check): Promise<void> {
  for (const server of onHost) {
    await request(server, 'POST /tokens', '/tokens', { body: { name: server, role: 'node' } });
    await request(server, 'GET /tokens', '/tokens');
    await request(server, 'DELETE /tokens/:name', `/tokens/${server}`);
    await request(server, 'GET /policy', '/policy');
    await request(server, 'PUT /policy', '/policy', { body: { limits: { forget_nodes_after_days: 3 } } });
  }
  for (const server of everywhere) {
    const { code } = await request<{ code: string }>(server, 'POST /session/codes', '/session/codes');
    const { key } = await request<{ key: string }>(server, 'POST /session', '/session', { body: { code } });
    await request(server, 'DELETE /session', '/session', { headers: { Authorization: `Bearer ${key}` } });
  }
  // Servers in the process of a test cannot restart; `restart.test.ts` does it with a real one.
  for (const server of onNodes) await request(server, 'POST /node/restart', '/node/restart', { status: 409 });
}

describe('the schemas of the answers', () => {
  usualTest('describe every answer of every route, and none allows any value', async () => {
    const { store, api } = await listApi();
    const silent = [store, api].flatMap((server) =>
      listOperations(server).flatMap(({ method, url, answers }) => {
        const good = answers.filter(({ status }) => Number(status) < 300);
        const isTold = good.length > 0 && good.every(({ schema }) => schema !== undefined && !acceptsAnything(schema as DescribedSchema));
        return isTold || hasNoDocument(`${method} ${url}`) ? [] : [`${method} ${url}`];
      }),
    );
    expect(silent).toEqual([]);
  });

  longTest('match the answers of a store host and a node, key by key', async () => {
    const { host, node, check, gated } = await smallLan();
    const order = await giveOrder(check);
    await check.request('store', 'POST /models/:id/download', '/models/org%2Fslow/download', { body: {} });
    await announce(check, 'org/up');
    await stageOnBoth(check, [host.apiUrl, node.apiUrl]);
    await askStorePort(check, host.url);
    await askAsHub(check);
    await askOfStore(check);
    await askToStage(check);
    await askNodes(check);
    await bringModels(check, host.storePath);
    const done = { status: 'done', freed_bytes: 5, reason: null };
    await check.request('store', 'POST /nodes/:node/orders/:order', `/nodes/away/orders/${order}`, { body: done });
    await check.request('store', 'DELETE /nodes/:node', '/nodes/away');
    for (const server of onHost) {
      const body = { hostname: 'away', version: '1', agent: false, staged_models: 0, staged_bytes: 0, free_bytes: 5 };
      await check.request('store', 'POST /nodes/:node', '/nodes/away', { body });
      await check.request(server, 'DELETE /store/nodes/:node', '/store/nodes/away');
    }
    const hasEngine = wants('llama-quantize').skip !== true;
    if (hasEngine) await optimizeAndStop(check, gated);
    await endDownloadsAndRemove(check);
    await administer(check);

    const unasked = onHost.flatMap((server) => check.unasked(server));
    expect(unasked.filter((route) => hasEngine || !wantsEngine(route))).toEqual([]);
    expect(check.faults).toEqual([]);
  });
});
