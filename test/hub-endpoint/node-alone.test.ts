import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadFile, listFiles, modelInfo, snapshotDownload } from '@huggingface/hub';
import { describe, expect, vi } from 'vitest';
import { contentCommit } from '../../src/core/endpoint/view/held-views.ts';
import { forWholeFile } from '../helpers/at-end.ts';
import { countedDoor } from '../helpers/counted-door.ts';
import { hubAsker } from '../helpers/hub-answers.ts';
import { type HubWorld, hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { adminKeyOf } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const weights = noise(300_075, 1);
const whole = {
  'README.md': '---\nlicense: mit\ntags: [tiny]\n---\n',
  'config.json': '{"a":1}',
  'empty.txt': '',
  'model.safetensors': weights,
};
const large = noise(11 * 1024 * 1024, 2);
const quantizations = { 'config.json': '{}', 'notes.md': 'x', 'm-Q4_K_M.gguf': noise(3000, 3), 'm-Q8_0.gguf': large };

const serveNode = (world: HubWorld, name: string, url: string) =>
  serveInProcess({ home: join(world.home, name), args: ['--role', 'node'], env: { SKULK_STORE: url } });

/** The node's record of its models for the time when the store is away. */
const keptOf = async (world: HubWorld, name: string, model: string): Promise<{ sha?: string; refused?: boolean }> =>
  JSON.parse(await readFile(join(world.staged(name), '.skulk/v1/hub', `${model.replace('/', '--')}.json`), 'utf8').catch(() => '{}'));

/** A node whose store host is off. It was on when the models were staged, and long enough to send their listings. */
const alone = forWholeFile(async () => {
  const world = await hubWorld();
  const commit = world.hub.push('org/whole', { files: whole });
  const partial = world.hub.push('org/some-GGUF', { files: quantizations });
  const host = await world.serveInProcess();
  for (const model of ['org/whole', 'org/some-GGUF:Q4_K_M']) expect(await world.host('download', model)).toMatchObject({ status: 0 });
  const door = await countedDoor(host.url);
  for (const model of ['org/whole', 'org/some-GGUF:Q4_K_M'])
    expect(await world.nodeInProcess(door, 'n1', 'stage', model)).toMatchObject({ status: 0 });
  const node = await serveNode(world, 'n1', door.url);
  for (const [model, sha] of [
    ['org/whole', commit],
    ['org/some-GGUF', partial],
  ] as const)
    await until(`what the store says of ${model}`, async () => (await keptOf(world, 'n1', model)).sha === sha);
  const said = await ask(node.apiUrl, '/api/models/org/whole?blobs=true');
  await door.shut();
  return { world, commit, partial, said: said.json(), url: node.apiUrl, get: hubAsker(node.apiUrl) };
});

describe('a node whose store is away', () => {
  usualTest('still serves @huggingface/hub a model with the commit of the store', async () => {
    const { url: hubUrl, commit } = alone();
    const cacheDir = await temporaryDirectory();
    expect(await modelInfo({ name: 'org/whole', hubUrl, additionalFields: ['sha'] })).toMatchObject({ sha: commit });
    const told = vi.spyOn(console, 'debug').mockReturnValue();
    const snapshot = await snapshotDownload({ repo: 'org/whole', hubUrl, cacheDir }).finally(() => told.mockRestore());
    expect(snapshot).toBe(join(cacheDir, 'models--org--whole', 'snapshots', commit));
    for (const [path, content] of Object.entries(whole))
      expect((await readFile(join(snapshot, path))).equals(Buffer.from(content))).toBe(true);
    expect((await readdir(join(cacheDir, 'models--org--whole', 'blobs'))).length).toBe(Object.keys(whole).length);
  });

  usualTest('answers the sequence of requests of from_pretrained with the data of the store', async () => {
    const { get, commit, said } = alone();
    expect((await get('/api/models/org/whole?blobs=true')).json()).toEqual(said);
    for (const revision of ['main', commit, commit.slice(0, 9)]) {
      for (const path of ['config.json', 'model.safetensors']) {
        const head = await get(`/org/whole/resolve/${revision}/${path}`, { method: 'HEAD' });
        expect(head).toMatchObject({ status: 200, headers: { 'x-repo-commit': commit } });
        const answer = await get(`/org/whole/resolve/${revision}/${path}`, { headers: { Range: 'bytes=2-5' } });
        expect(answer).toMatchObject({ status: 206, body: Buffer.from(whole[path as keyof typeof whole]).subarray(2, 6) });
      }
      expect(await get(`/org/whole/resolve/${revision}/chat_template.jinja`, { method: 'HEAD' })).toMatchObject({
        status: 404,
        headers: { 'x-error-code': 'EntryNotFound', 'x-repo-commit': commit },
      });
    }
    const body = '{"paths":["config.json","none"]}';
    const paths = await get('/api/models/org/whole/paths-info/main', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    });
    expect(paths.json()).toMatchObject([{ path: 'config.json' }]);
    expect((await get('/api/models/org/whole/refs')).json()).toMatchObject({ branches: [{ targetCommit: commit }] });
    expect((await get('/api/models')).json()).toMatchObject([{ id: 'org/some-GGUF' }, { id: 'org/whole' }]);
  });

  usualTest(
    'lists all files of a commit of which it has a part, and refuses the others without saying that they do not exist',
    async () => {
      const { get, partial, url } = alone();
      const listed = [];
      for await (const { path } of listFiles({ repo: 'org/some-GGUF', hubUrl: url })) listed.push(path);
      expect(listed).toEqual(Object.keys(quantizations).toSorted());
      expect(await get('/org/some-GGUF/resolve/main/m-Q4_K_M.gguf')).toMatchObject({
        status: 200,
        headers: { 'x-repo-commit': partial },
        body: quantizations['m-Q4_K_M.gguf'],
      });
      expect((await get('/org/some-GGUF/resolve/main/m-Q8_0.gguf', { method: 'HEAD' })).headers['content-length']).toBe(
        String(large.length),
      );
      const refused = await get('/org/some-GGUF/resolve/main/m-Q8_0.gguf');
      expect([refused.status, refused.headers['x-repo-commit']]).toEqual([424, undefined]);
      expect(String(refused.headers['x-error-message'])).toMatch(/the store does not answer/);
      const download = downloadFile({ repo: 'org/some-GGUF', path: 'm-Q8_0.gguf', hubUrl: url });
      await expect(download).rejects.toThrow('the store does not answer');
    },
  );

  usualTest('serves Ollama its staged quantization', async () => {
    const { url } = alone();
    const manifest = await ask(url, '/v2/org/some-GGUF/manifests/latest');
    const digest = `sha256:${sha256(quantizations['m-Q4_K_M.gguf'])}`;
    expect(manifest.json()).toMatchObject({ layers: [{ digest, size: 3000 }] });
    const blob = await ask(url, `/v2/org/some-GGUF/blobs/${digest}`);
    expect([blob.status, blob.headers['location']]).toEqual([200, `${url}/v2/org/some-GGUF/blobs/${digest}`]);
    expect(blob.body.equals(quantizations['m-Q4_K_M.gguf'])).toBe(true);
  });

  usualTest.each([
    ['a model that is not here', '/org/none/resolve/main/config.json', 503],
    ['a revision that is not here', '/org/whole/resolve/v2/config.json', 503],
    ['the description of a model that is not here', '/api/models/org/none', 503],
    ['what can be no revision', '/org/whole/resolve/a..b/config.json', 404],
    ['what no path can have', '/org/whole/resolve/..%2Fx/config.json', 404],
  ])('describes %s only as far as it knows it', async (_, target, status) => {
    expect((await alone().get(target)).status).toBe(status);
  });
});

usualTest(
  "a node without a listing of the store shows a copy under a commit of its content, and never the Hub's commit with a shorter listing",
  async () => {
    const world = await hubWorld();
    const commit = world.hub.push('org/m-GGUF', { files: quantizations });
    const host = await world.serveInProcess();
    const door = await countedDoor(host.url);
    expect(await world.host('download', 'org/m-GGUF:Q4_K_M')).toMatchObject({ status: 0 });
    expect(await world.nodeInProcess(door, 'n1', 'stage', 'org/m-GGUF:Q4_K_M')).toMatchObject({ status: 0 });
    await door.shut();
    const node = await serveNode(world, 'n1', door.url);
    // The store has never reported the rights of the LAN, so only this machine's own key gives access.
    const headers = { Authorization: `Bearer ${await adminKeyOf(node.home)}` };
    const ask = hubAsker(node.apiUrl);
    expect((await ask('/api/models/org/m-GGUF')).status).toBe(503);
    const get = (target: string) => ask(target, { headers });
    const info = (await get('/api/models/org/m-GGUF')).json() as { sha: string; siblings: { rfilename: string }[] };
    const record = JSON.parse(await readFile(join(world.staged('n1'), 'org--m-GGUF/.skulk.json'), 'utf8'));
    expect(info.sha).toBe(contentCommit(record.files));
    expect(info.siblings.map(({ rfilename }) => rfilename)).toEqual(['config.json', 'm-Q4_K_M.gguf', 'notes.md']);
    expect((await get(`/org/m-GGUF/resolve/${commit}/config.json`)).headers['x-repo-commit']).toBe(commit);
    expect((await get(`/api/models/org/m-GGUF/tree/${commit}`)).status).toBe(503);
    expect((await get(`/org/m-GGUF/resolve/${commit}/none.json`)).status).toBe(503);
  },
);

longTest('a node asks its store for the commit of main as long as the store answers, and uses its own afterwards', async () => {
  const world = await hubWorld();
  await writeFiles(join(world.home, 'one'), { 'config.json': '{"v":1}', 'same.json': '{}' });
  await writeFiles(join(world.home, 'two'), { 'config.json': '{"v":2}', 'same.json': '{}' });
  expect(await world.host('add', join(world.home, 'one'), '--as', 'org/m')).toMatchObject({ status: 0 });
  const host = await world.serveInProcess();
  const door = await countedDoor(host.url);
  expect(await world.nodeInProcess(door, 'n1', 'stage', 'org/m')).toMatchObject({ status: 0 });
  const node = await serveNode(world, 'n1', door.url);
  const config = async () => {
    const { headers, body } = await ask(node.apiUrl, '/org/m/resolve/main/config.json');
    return { commit: String(headers['x-repo-commit']), body: body.toString() };
  };
  const first = await config();
  expect(first.body).toBe('{"v":1}');
  await until('what the store says', async () => (await keptOf(world, 'n1', 'org/m')).sha === first.commit);
  expect(await world.host('add', join(world.home, 'two'), '--as', 'org/m', '--force')).toMatchObject({ status: 0 });
  const second = await config();
  expect(second).toMatchObject({ body: '{"v":2}', commit: expect.not.stringContaining(first.commit) });
  expect((await ask(node.apiUrl, '/org/m/resolve/main/same.json')).headers['x-repo-commit']).toBe(second.commit);
  await door.shut();
  expect(await config()).toEqual(first);
  await door.open(host.url);
  await until('the store again', async () => (await config()).commit === second.commit);
});

usualTest('a gated model that the store hides is hidden while the store is away too', async () => {
  const world = await hubWorld({ HF_TOKEN: 'hf_of_the_owner' });
  world.hub.tokens.add('hf_of_the_owner');
  world.hub.push('org/gated', { files: { 'config.json': '{}' }, gated: true });
  expect(await world.host('download', 'org/gated')).toMatchObject({ status: 0 });
  const host = await world.serveInProcess();
  const door = await countedDoor(host.url);
  expect(await world.nodeInProcess(door, 'n1', 'stage', 'org/gated')).toMatchObject({ status: 0 });
  const { apiUrl } = await serveNode(world, 'n1', door.url);
  const status = async (): Promise<number> => (await ask(apiUrl, '/org/gated/resolve/main/config.json')).status;
  expect(await status()).toBe(200);
  expect(await world.host('policy', 'set', 'hub.share_gated', 'false')).toMatchObject({ status: 0 });
  await until('the policy', async () => (await status()) === 404);
  await until('what the node keeps', async () => (await keptOf(world, 'n1', 'org/gated')).refused === true);
  await door.shut();
  expect(await status()).toBe(503);
  expect((await ask(apiUrl, '/api/models')).json()).toEqual([]);
});
