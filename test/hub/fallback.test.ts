import { access, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { faultProxy } from '../helpers/fault-proxy.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow, digestsOfFiles, noise } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, sized } from '../helpers/seeded.ts';

const nodeCount = sized({ small: 3, large: 20 });
const files = { 'config.json': '{}', 'a.safetensors': noise(18 * 1024 * 1024, 1), 'b.safetensors': noise(400_000, 2) };

test('one command on a node with an empty store downloads a model from the Hub', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const served = await world.serveInProcess();
  const staged = await world.nodeInProcess(served, 'node', 'stage', 'org/m', '--json');
  expect(staged.status, staged.stderr).toBe(0);
  expect(JSON.parse(staged.stdout).staged).toMatchObject([{ source: 'store', path: join(world.staged('node'), 'org--m') }]);
  expect(await digestsBelow(join(world.storePath, 'org--m'))).toMatchObject(digestsOfFiles(files));
  expect(await digestsBelow(join(world.staged('node'), 'org--m'))).toEqual(await digestsBelow(join(world.storePath, 'org--m')));
});

longTest(`${nodeCount} nodes that request a model at the same time cause one download`, async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  world.hub.rate = 20 * 1024 * 1024;
  const served = await world.serveInProcess();
  const nodes = Array.from({ length: nodeCount }, (_, index) => world.nodeInProcess(served, `node${index}`, 'stage', 'org/m'));
  for (const { status, stderr } of await Promise.all(nodes)) expect(status, stderr).toBe(0);
  for (const [path, content] of Object.entries(files)) expect(world.hub.sent(path), path).toBe(Buffer.from(content).length);
});

test('stage names the setting that forbids downloads', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const offline = await world.serveInProcess({ HF_HUB_OFFLINE: '1' });
  const refused = await world.nodeInProcess(offline, 'node', 'stage', 'org/m');
  expect(refused).toMatchObject({ status: 3, stdout: '' });
  expect(refused.stderr).toContain('HF_HUB_OFFLINE');
  const asked = await world.host('download', 'org/m');
  expect(asked).toMatchObject({ status: 8 });
  const own = await runInProcess(['stage', 'org/m'], {
    env: { SKULK_HOME: join(world.home, 'node'), SKULK_STORE: offline.url, HF_ENDPOINT: world.hub.url, HF_HUB_OFFLINE: '1' },
  });
  expect(own).toMatchObject({ status: 3 });
  expect((await world.nodeInProcess(offline, 'node', 'stage', 'org/m', '--dry-run')).status).toBe(3);
  expect(world.hub.requests).toEqual([]);
});

longTest('a stage downloads directly into staging if no store is configured, but not if a store does not answer', async () => {
  const world = await hubWorld();
  const commit = world.hub.push('org/m', { files });
  const env = { SKULK_HOME: join(world.home, 'alone'), HF_ENDPOINT: world.hub.url };
  // Port 9 of this machine: no program answers there, and no store is found on the usual port either.
  const config = join(world.home, 'alone.yaml');
  await writeFile(config, 'model_store:\n  store_port: 9\n');
  const staged = await runInProcess(['stage', 'org/m', '--json'], { env: { ...env, SKULK_CONFIG: config } });
  expect(staged.status, staged.stderr).toBe(0);
  expect(JSON.parse(staged.stdout).staged).toMatchObject([{ source: 'hub', bytes_transferred: 18 * 1024 * 1024 + 400_002 }]);
  const warm = await runInProcess(['stage', 'org/m', '--json'], { env: { ...env, SKULK_CONFIG: config } });
  expect(JSON.parse(warm.stdout).staged).toMatchObject([{ source: 'cache', revision: 'main' }]);
  expect((await runInProcess(['verify', '--staging'], { env: { ...env, SKULK_CONFIG: config } })).status).toBe(0);
  const offline = { SKULK_HOME: join(world.home, 'offline'), HF_ENDPOINT: 'http://127.0.0.1:9', SKULK_CONFIG: config };
  expect(await runInProcess(['stage', 'org/m'], { env: offline })).toMatchObject({
    status: 8,
    stderr: expect.stringContaining('this machine asks Hugging Face itself'),
  });
  const away = { SKULK_HOME: join(world.home, 'away'), HF_ENDPOINT: world.hub.url, SKULK_STORE: 'http://127.0.0.1:9' };
  expect(await runInProcess(['stage', 'org/m'], { env: away })).toMatchObject({ status: 4, stdout: '' });
  const direct = await runInProcess(['stage', `org/m@${commit}`, '--direct', '--json'], { env: away });
  expect(direct.status, direct.stderr).toBe(0);
  expect(JSON.parse(direct.stdout).staged).toMatchObject([{ source: 'hub', revision: commit }]);
  expect(
    await access(join(world.home, 'away', 'store')).then(
      () => true,
      () => false,
    ),
  ).toBe(false);
});

test.each(['this-machine', 'nas.example'])('a disabled store counts as not configured, also when store_host is %s', async (host) => {
  const world = await hubWorld();
  world.hub.push('org/m', { files: { 'config.json': '{}', 'a.safetensors': noise(4_000, 1) } });
  const config = join(world.home, 'off.yaml');
  await writeFile(config, `model_store:\n  enabled: false\n  store_host: ${host === 'this-machine' ? hostname() : host}\n`);
  const env = { SKULK_HOME: join(world.home, 'off'), SKULK_CONFIG: config, HF_ENDPOINT: world.hub.url };
  const staged = await runInProcess(['stage', 'org/m', '--json'], { env });
  expect(staged.status, staged.stderr).toBe(0);
  expect(JSON.parse(staged.stdout).staged).toMatchObject([{ source: 'hub' }]);
  expect(await runInProcess(['run', 'org/m', '--', 'true'], { env })).toMatchObject({ status: 0 });
  expect(await runInProcess(['registry'], { env })).toMatchObject({ status: 4, stdout: '' });
});

longTest('a node stages finished data while the store still downloads', async () => {
  const world = await hubWorld();
  const size = 96 * 1024 * 1024;
  const content = noise(size, 7);
  world.hub.push('org/big', { files: { 'config.json': '{}', 'a.safetensors': content } });
  const served = await world.serveInProcess();
  const proxy = await faultProxy(served.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  // The store gets its last chunk only after the node has requested four earlier ones.
  let early = 0;
  const gate = Promise.withResolvers<void>();
  proxy.onRequest((line) => {
    if (!/\/chunks\/[0-9a-f]+\/\d+$/.test(line)) return;
    early += 1;
    if (early === 4) gate.resolve();
  });
  world.hub.fault = async ({ request }) => {
    if (request.headers.range?.startsWith(`bytes=${size - 16 * 1024 * 1024}-`) === true) await gate.promise;
    return false;
  };
  const node = world.nodeInProcess({ ...served, url: proxy.url }, 'node', 'stage', 'org/big', '--json');
  await gate.promise;
  expect(await (await fetch(`${served.url}/models`)).json()).toEqual([]);
  const staged = await node;
  expect(staged.status, staged.stderr).toBe(0);
  expect((await readFile(join(world.staged('node'), 'org--big', 'a.safetensors'))).equals(content)).toBe(true);
  const { bytes_transferred } = JSON.parse(staged.stdout).staged[0];
  expect(bytes_transferred).toBeGreaterThanOrEqual(size);
  // Four connections, each with a chunk in transfer when the download ends and its chunks become the model.
  expect(bytes_transferred).toBeLessThanOrEqual(size + 4 * 16 * 1024 * 1024);
  expect(world.hub.sent('a.safetensors')).toBe(size);
});

test('a serving node forwards every request to its store', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const served = await world.serveInProcess();
  const node = await serveInProcess({ home: join(world.home, 'api'), args: ['--role', 'node'], env: { SKULK_STORE: served.url } });
  onTestFinished(() => node[Symbol.asyncDispose]());
  const url = `${node.apiUrl}/store/models/org%2Fm/download`;
  expect((await fetch(`${url}/status`)).status).toBe(404);
  expect(await (await fetch(url, { method: 'POST' })).json()).toMatchObject({
    modelId: 'org/m',
    status: expect.stringMatching(/pending|downloading/),
  });
  expect((await world.host('download', 'org/m')).status).toBe(0);
  expect(await (await fetch(`${url}/status`)).json()).toMatchObject({ status: 'complete', progress: 1 });
  expect(await (await fetch(`${node.apiUrl}/store/downloads?recent=true`)).json()).toMatchObject({ downloads: [{ modelId: 'org/m' }] });
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(409);
});
