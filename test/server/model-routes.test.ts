import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { configSchema } from '../../src/core/config/schema.ts';
import { forWholeFile } from '../helpers/at-end.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { ask, outcomeOf } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';

const json = { 'content-type': 'application/json' };

const shared = forWholeFile(async () => {
  const world = await hubWorld();
  await writeFiles(join(world.home, 'source'), { 'a.gguf': 'some bytes', 'config.json': '{}' });
  await mkdir(world.storePath, { recursive: true });
  expect(await world.host('add', join(world.home, 'source'), '--as', 'org/name')).toMatchObject({ status: 0 });
  const served = await world.serveInProcess();
  const api = await serveInProcess({
    home: join(world.home, 'n1'),
    args: ['--role', 'node'],
    env: { SKULK_STORE: served.url, HF_ENDPOINT: world.hub.url },
  });
  return { ...world, served, api };
});

/** The lines of an answer to long work. */
const lines = (body: Buffer): readonly unknown[] =>
  body
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

usualTest('the store answers to a URL of two segments about the model that it means', async () => {
  const cases = [
    ['/models/org/bad--id/files', 400, '"org/bad--id" is not a model id: it must not contain "--" or ".."'],
    ['/models/org/bad--id/manifest', 400, '"org/bad--id" is not a model id: it must not contain "--" or ".."'],
    ['/models/org/-x/download/status', 400, '"org/-x" is not a model id: a part must not begin or end with "-" or "."'],
    ['/models/org/name/.skulk.json', 400, expect.stringContaining('".skulk.json" is not a valid path of a model file')],
    ['/models/org/name', 404, 'the path of a file is missing'],
    ['/models/org/other/files', 404, 'org/other is not in the store'],
    ['/models/org/a--b.gguf', 404, 'org is not in the store'],
  ] as const;
  for (const [path, status, detail] of cases) {
    const answer = await ask(shared().served.url, path);
    expect([path, answer.status, answer.json()]).toEqual([path, status, expect.objectContaining({ detail })]);
  }
});

usualTest('a model is shown with the nodes that have a copy, on the host, through a node and on the command line', async () => {
  const { served, api, ...world } = shared();
  expect(await world.node(served, 'n1', 'stage', 'org/name').exited).toMatchObject({ status: 0 });
  // An older report of the node's server may arrive after the one of the stage; a newer one follows.
  await expect.poll(async () => (await ask(served.url, '/store/models/org/name')).json()).toMatchObject({ nodes: [{ in_use: false }] });
  for (const url of [served.apiUrl, api.apiUrl, served.url]) {
    for (const id of ['org%2Fname', 'org/name']) {
      const answer = await ask(url, `/store/models/${id}`);
      expect([answer.status, answer.json()]).toEqual([
        200,
        expect.objectContaining({
          model_id: 'org/name',
          hashed: true,
          digest: expect.stringMatching(/^[0-9a-f]{64}$/),
          source: 'add',
          files: expect.arrayContaining([{ path: 'a.gguf', size: 10, sha256: expect.any(String) }]),
          nodes: [expect.objectContaining({ size_bytes: 12, in_use: false, hostname: expect.any(String) })],
        }),
      ]);
    }
    expect((await ask(url, '/store/models/org/nobody')).json()).toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect((await ask(url, '/store/models/..%2Fx')).status).toBe(400);
  }
  const shown = await world.host('show', 'org/name');
  expect(shown.stdout).toMatch(/^on nodes {2}\S+( \([0-9a-f]{4}\))?$/m);
});

longTest('a repo on Hugging Face can be examined before it is downloaded', async () => {
  const { served: host, api: node, hub } = shared();
  const commit = hub.push('org/Foo-GGUF', {
    files: { 'Foo-Q4_K_M.gguf': 'x'.repeat(40), 'Foo-Q8_0.gguf': 'x'.repeat(80), 'config.json': '{}', 'README.md': 'hi' },
  });
  hub.push('org/plain', { files: { 'model.safetensors': 'x'.repeat(100), 'config.json': '{}' } }, 'v1');
  for (const url of [host.apiUrl, node.apiUrl]) {
    expect((await ask(url, '/store/hub/org%2FFoo-GGUF')).json()).toEqual({
      modelId: 'org/Foo-GGUF',
      revision: 'main',
      commit,
      files: [
        { path: 'Foo-Q4_K_M.gguf', size: 40 },
        { path: 'config.json', size: 2 },
        { path: 'README.md', size: 2 },
      ],
      file_count: 3,
      total_bytes: 44,
      quantizations: [
        expect.objectContaining({ label: 'Q4_K_M', gguf_file: 'Foo-Q4_K_M.gguf', size_bytes: 44, is_preferred: true, in_store: false }),
        expect.objectContaining({ label: 'Q8_0', gguf_file: 'Foo-Q8_0.gguf', size_bytes: 84, is_preferred: false, in_store: false }),
      ],
    });
  }
  expect((await ask(host.apiUrl, '/store/hub/org/plain?revision=v1')).json()).toMatchObject({ quantizations: [], total_bytes: 102 });
  expect(hub.requests.filter((one) => one.includes('resolve') || one.includes('cdn'))).toEqual([]);
  for (const [target, status, code] of [
    ['/store/hub/org/plain?revision=v9', 404, 'REVISION_NOT_FOUND'],
    ['/store/hub/org%2Fnobody', 404, 'MODEL_NOT_FOUND'],
    ['/store/hub/..%2Fx', 400, 'BAD_MODEL_ID'],
    ['/store/hub/org/plain?revision=../../api', 400, 'USAGE'],
    ['/store/hub/org/plain?revision=a&revision=b', 400, 'BAD_REQUEST'],
  ] as const) {
    const answer = await ask(host.apiUrl, target);
    expect([target, answer.status, answer.json()]).toEqual([target, status, expect.objectContaining({ code })]);
  }
  // A download has a mark.
  const body = JSON.stringify({ gguf_file: 'Foo-Q8_0.gguf' });
  await ask(host.apiUrl, '/store/models/org/Foo-GGUF/download', { method: 'POST', headers: json, body });
  await expect
    .poll(async () => ((await ask(host.apiUrl, '/store/hub/org/Foo-GGUF')).json() as { quantizations: object[] }).quantizations[1])
    .toMatchObject({ label: 'Q8_0', in_store: true });
});

usualTest('a repo is not examined if downloads are disabled', async () => {
  const world = await hubWorld({ HF_HUB_OFFLINE: '1' });
  const host = await world.serveInProcess();
  expect((await ask(host.apiUrl, '/store/hub/org/m')).json()).toMatchObject({ code: 'HUB_OFFLINE', hint: expect.any(String) });
  expect(world.hub.requests).toEqual([]);
});

usualTest('models can be verified on request, with progress line by line, and damage is named', async () => {
  const { served: host, api: node, storePath } = shared();
  const verify = (url: string, body: string) => ask(url, '/store/verify', { method: 'POST', headers: json, body });
  for (const url of [host.apiUrl, node.apiUrl]) {
    const answer = await verify(url, '{"model_ids":["org/name"]}');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    expect(lines(answer.body).at(-1)).toEqual({
      result: { ok: true, models: [expect.objectContaining({ model_id: 'org/name', status: 'ok' })] },
    });
  }
  await writeFile(join(storePath, 'org--name/a.gguf'), 'soMe bytes');
  expect(lines((await verify(node.apiUrl, '')).body).at(-1)).toMatchObject({
    result: {
      ok: false,
      models: expect.arrayContaining([
        expect.objectContaining({
          model_id: 'org/name',
          status: 'damaged',
          bad_files: [expect.objectContaining({ path: 'a.gguf', problem: 'content' })],
        }),
      ]),
    },
  });
  for (const [body, code] of [
    ['{"model_ids":["../x"]}', 'BAD_MODEL_ID'],
    ['{"model_ids":"all"}', 'BAD_REQUEST'],
    ['{"more":1}', 'BAD_REQUEST'],
    ['{"model_ids":["org/nobody"]}', 'MODEL_NOT_FOUND'],
  ] as const)
    expect([body, await outcomeOf(await verify(node.apiUrl, body))]).toEqual([body, { code }]);
  const page = { method: 'POST', headers: { ...json, origin: 'http://evil.example' }, body: '{}' };
  expect((await ask(host.apiUrl, '/store/verify', page)).status).toBe(403);
});

usualTest('the published schema of the settings is the one that validates them', async () => {
  expect((await ask(shared().served.apiUrl, '/config/schema')).json()).toEqual(JSON.parse(JSON.stringify(configSchema)));
});
