import { link, open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { formatBytes } from '../../src/core/kernel/units.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { digestsBelow, digestsOfFiles, noise, writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { few, longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const shards = { 'm-Q8_0-00001-of-00002.gguf': noise(400_000, 2), 'm-Q8_0-00002-of-00002.gguf': noise(100_000, 3) };
const shared = { 'config.json': '{}', 'mmproj-F16.gguf': noise(2_000, 9) };
const q4 = { 'm-Q4_K_M.gguf': noise(300_000, 1) };
const q2 = { 'low/m-Q2_K.gguf': noise(50_000, 4) };
const pythonKeys = ['model_id', 'store_path', 'files', 'downloaded_at', 'total_bytes', 'repo_has_projector'];

/** A store with one model of three quantizations. */
async function threeQuantizations(modelId = 'org/three') {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'source'), { ...shards, ...shared, ...q4, ...q2 });
  const env = { SKULK_HOME: home };
  await writeFiles(join(home, 'store'), {});
  const run = (...args: readonly string[]) => runInProcess(args, { env });
  expect(await run('add', join(home, 'source'), '--as', modelId)).toMatchObject({ status: 0 });
  const root = join(home, 'store');
  const place = join(root, modelId.replace('/', '--'));
  const entry = async () => (JSON.parse(await readFile(join(root, 'registry.json'), 'utf8')) as Record<string, object>)[modelId];
  return { home, root, place, run, entry };
}

describe('skulk delete MODEL:SELECTOR', () => {
  usualTest('removes one quantization, and every other file is unchanged', async () => {
    const { root, place, run, entry } = await threeQuantizations();
    const kept = join(place, 'm-Q4_K_M.gguf');
    const before = await stat(kept, { bigint: true });
    await using held = await open(join(place, 'm-Q8_0-00001-of-00002.gguf'));
    const plan = await run('delete', '--dry-run', 'org/three:q8_0');
    expect(plan.stdout).toBe(
      `would delete org/three:Q8_0 (${formatBytes(500_000)})\n  m-Q8_0-00001-of-00002.gguf\n  m-Q8_0-00002-of-00002.gguf\n`,
    );
    const ended = await run('delete', 'org/three:q8_0', '--yes', '--json');
    expect(ended).toMatchObject({ status: 0 });
    expect(JSON.parse(ended.stdout)).toEqual({ deleted: ['org/three:Q8_0'], freed_bytes: 500_000, canonical_bytes: 500_000, nodes: [] });
    expect(await digestsBelow(place)).toEqual(digestsOfFiles({ ...shared, ...q4, ...q2 }));
    const after = await stat(kept, { bigint: true });
    expect([after.ino, after.mtimeNs, after.ctimeNs]).toEqual([before.ino, before.mtimeNs, before.ctimeNs]);
    // A process with the open file can still read it.
    const { buffer } = await held.read(Buffer.alloc(400_000), 0, 400_000, 0);
    expect(buffer).toEqual(shards['m-Q8_0-00001-of-00002.gguf']);
    expect(await entry()).toMatchObject({
      files: ['config.json', 'low/m-Q2_K.gguf', 'm-Q4_K_M.gguf', 'mmproj-F16.gguf'],
      total_bytes: 352_002,
    });
    expect(Object.keys((await entry()) ?? {})).toEqual(pythonKeys);
    const manifest = JSON.parse(await readFile(join(root, '.skulk/v1/manifests/org--three.json'), 'utf8')) as {
      groups: { selector: string }[];
    };
    expect(manifest.groups.map(({ selector }) => selector)).toEqual(['Q4_K_M', 'Q2_K']);
    expect(await readdir(join(root, '.skulk/v1/trash'))).toEqual([]);
    expect(await run('verify', '--json')).toMatchObject({ status: 0 });
  });

  longTest('removes one while another is used in place, and refuses one in use without --force', async () => {
    const { home, root, place, run } = await threeQuantizations();
    const config = join(home, 'in-place.yaml');
    await writeFile(config, JSON.stringify({ model_store: { store_path: root, staging: { node_cache_path: root } } }));
    const host = (...args: readonly string[]) => run(...args, '--config', config);
    expect(await host('activate', 'org/three:Q8_0', '--pid', String(process.pid))).toMatchObject({ status: 0 });
    expect(await host('delete', 'org/three:Q4_K_M', '--yes')).toMatchObject({ status: 0 });
    const refused = await host('delete', 'org/three:q8_0', '--yes');
    expect(refused).toMatchObject({ status: 5, stderr: expect.stringContaining('in use on the store host') });
    expect(await digestsBelow(place)).toEqual(digestsOfFiles({ ...shards, ...shared, ...q2 }));
    expect(await host('delete', 'org/three:Q8_0', '--yes', '--force')).toMatchObject({ status: 0 });
    expect(await digestsBelow(place)).toEqual(digestsOfFiles({ ...shared, ...q2 }));
    // A lease on the whole model covers each.
    expect(await host('activate', 'org/three', '--pid', String(process.pid))).toMatchObject({ status: 0 });
    expect(await host('delete', 'org/three:Q2_K', '--yes')).toMatchObject({ status: 5 });
  });

  usualTest('exits with 3 for an unknown selector with a list of the existing ones, and removes nothing', async () => {
    const { place, run } = await threeQuantizations();
    for (const selector of ['Q6_K', 'Q4_K', 'mmproj-F16.gguf', 'nope.gguf']) {
      const ended = await run('delete', `org/three:${selector}`, '--yes');
      expect(ended).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('it has Q4_K_M, Q8_0, Q2_K') });
    }
    expect(await run('delete', 'org/none:Q4_K_M', '--yes')).toMatchObject({ status: 3 });
    expect(Object.keys(await digestsBelow(place))).toHaveLength(6);
  });

  usualTest('removes several in one command, by label and by path, and with the last one the model', async () => {
    const { root, place, run, entry } = await threeQuantizations();
    expect(await run('delete', 'org/three:low/m-Q2_K.gguf', 'org/three:Q2_K', 'org/three:Q8_0', '--yes')).toMatchObject({
      status: 0,
      stdout: `deleted org/three:Q2_K\ndeleted org/three:Q8_0\nfreed ${formatBytes(550_000)}\n`,
    });
    expect(await digestsBelow(place)).toEqual(digestsOfFiles({ ...shared, ...q4 }));
    expect(await readdir(place)).not.toContain('low');
    const plan = await run('delete', 'org/three:Q4_K_M', '--dry-run');
    expect(plan.stdout).toBe(`would delete org/three:Q4_K_M, its last quantization, so the whole model (${formatBytes(302_002)})\n`);
    expect(await run('delete', 'org/three:Q4_K_M', '--yes')).toMatchObject({ status: 0 });
    expect(await entry()).toBeUndefined();
    expect((await readdir(root)).toSorted()).toEqual(['.skulk', 'registry.json']);
  });

  usualTest('keeps files of the user, and does not follow a directory that is a link', async () => {
    const { home, root, place, run } = await threeQuantizations();
    await writeFile(join(place, 'mine.txt'), 'mine');
    await writeFile(join(place, 'low', 'mine.gguf'), 'mine');
    expect(await run('delete', 'org/three:Q2_K', '--yes')).toMatchObject({ status: 0 });
    expect(await readFile(join(place, 'low', 'mine.gguf'), 'utf8')).toBe('mine');
    expect(await readFile(join(place, 'mine.txt'), 'utf8')).toBe('mine');
    const { rename } = await import('node:fs/promises');
    await rename(place, join(home, 'elsewhere'));
    await symlink(join(root, 'real'), place);
    await rename(join(home, 'elsewhere'), join(root, 'real'));
    expect(await run('delete', 'org/three:Q8_0', '--yes')).toMatchObject({ status: 5, stderr: expect.stringContaining('is a link') });
    expect(await readdir(join(root, 'real'))).toContain('m-Q8_0-00001-of-00002.gguf');
  });

  usualTest('removes one quantization of a model that is not hashed yet', async () => {
    const { root, place, run, entry } = await threeQuantizations();
    const { rm } = await import('node:fs/promises');
    await rm(join(root, '.skulk/v1/manifests/org--three.json'));
    expect(await run('delete', 'org/three:Q8_0', '--yes')).toMatchObject({
      status: 0,
      stdout: `deleted org/three:Q8_0\nfreed ${formatBytes(500_000)}\n`,
    });
    expect(await digestsBelow(place)).toEqual(digestsOfFiles({ ...shared, ...q4, ...q2 }));
    expect(await entry()).toMatchObject({ total_bytes: 352_002 });
  });

  usualTest('frees no bytes for a file that is already missing', async () => {
    const { place, run } = await threeQuantizations();
    const { rm } = await import('node:fs/promises');
    await rm(join(place, 'm-Q8_0-00001-of-00002.gguf'));
    expect(await run('delete', 'org/three:Q8_0', '--yes')).toMatchObject({
      status: 0,
      stdout: `deleted org/three:Q8_0\nfreed ${formatBytes(100_000)}\n`,
    });
  });

  usualTest('keeps the content of hard links elsewhere', async () => {
    const { home, place, run } = await threeQuantizations();
    await link(join(place, 'm-Q4_K_M.gguf'), join(home, 'other-name'));
    expect(await run('delete', 'org/three:Q4_K_M', '--yes')).toMatchObject({ status: 0 });
    expect(await readFile(join(home, 'other-name'))).toEqual(q4['m-Q4_K_M.gguf']);
  });
});

/** Neither labels nor paths. */
const invalid = [
  '..%2F..%2Fregistry.json',
  '..%2Fm-Q4_K_M.gguf',
  'low%2F..%2Fm-Q4_K_M.gguf',
  '%2Fetc%2Fpasswd.gguf',
  'm-Q4_K_M.gguf%00',
  'Q4_K_M%00',
  '%00',
  '%',
  '%ff',
  'a%5Cb.gguf',
  '*',
  '%20',
  'x'.repeat(65),
  `${'x/'.repeat(3000)}a.gguf`.replaceAll('/', '%2F'),
  'Q4_K_M/Q8_0',
  '',
  '.',
];

describe('DELETE /models/{id}/quantizations/{selector}', () => {
  async function served(args: readonly string[] = []) {
    const { home, place } = await threeQuantizations();
    const server = await serveInProcess({ home, args });
    return { home, place, server };
  }

  test.each(few(['/store/models/org%2Fthree', '/models/org%2Fthree', '/models/org/three', '/store/models/org/three']))(
    'on %s removes by label and by an encoded path, and reports a missing one',
    async (model) => {
      const { place, server } = await served();
      const at = (selector: string) => ask(server.url, `${model}/quantizations/${selector}?wait_ms=0`, { method: 'DELETE' });
      const first = await at('q8_0');
      expect(first).toMatchObject({ status: 200 });
      expect(first.json()).toMatchObject({ modelId: 'org/three', selector: 'Q8_0', deleted: true, nodes: [], freed_bytes: 500_000 });
      expect((await at('low%2Fm-Q2_K.gguf')).json()).toMatchObject({ selector: 'Q2_K', deleted: true });
      const missing = await at('Q8_0');
      expect(missing.status).toBe(404);
      expect(missing.json()).toMatchObject({ code: 'FILE_NOT_FOUND', hint: 'it has Q4_K_M' });
      expect((await ask(server.url, '/models/org%2Fnone/quantizations/Q8_0', { method: 'DELETE' })).json()).toMatchObject({
        code: 'MODEL_NOT_FOUND',
      });
      expect(await digestsBelow(place)).toEqual(digestsOfFiles({ ...shared, ...q4 }));
    },
  );

  usualTest('refuses invalid selectors, and removes nothing', async () => {
    const { place, server } = await served();
    for (const selector of invalid) {
      for (const model of ['/models/org%2Fthree', '/store/models/org/three']) {
        const { status } = await ask(server.url, `${model}/quantizations/${selector}`, { method: 'DELETE' });
        expect([selector, status]).toEqual([selector, expect.toBeOneOf([400, 404, 405, 414, 431])]);
      }
      expect([selector, Object.keys(await digestsBelow(place)).length]).toEqual([selector, 6]);
    }
  });

  usualTest('refuses a client with the role read', async () => {
    const { home, place } = await threeQuantizations();
    await writeFiles(join(home, 'store/.skulk/v1'), { 'policy.yaml': 'lan: read\n' });
    const server = await serveInProcess({ home });
    for (const path of ['/models/org%2Fthree/quantizations/Q8_0', '/store/models/org%2Fthree/quantizations/Q8_0'])
      expect((await ask(server.url, path, { method: 'DELETE' })).status).toBeOneOf([401, 403]);
    expect(Object.keys(await digestsBelow(place))).toHaveLength(6);
  });
});

describe('a host without support for quantizations', () => {
  /** A lease on the whole model covers each quantization. */
  async function olderHost(answer: { readonly status: number; readonly body: string }) {
    const asked: string[] = [];
    const entry = {
      model_id: 'org/three',
      store_path: 'org--three',
      files: ['m-Q4_K_M.gguf', 'm-Q8_0.gguf'],
      downloaded_at: '',
      total_bytes: 2,
      repo_has_projector: null,
    };
    const answers: Readonly<Record<string, unknown>> = {
      '/health': { store_path: '/s', free_bytes: 1, total_bytes: 2, used_bytes: 1 },
      '/registry': [entry],
      '/models': ['org/three'],
      '/models/org%2Fthree/files': entry.files,
      '/nodes': [],
    };
    const server = createServer((request, response) => {
      const path = (request.url ?? '').replace(/\?.*/, '');
      if (request.method !== 'GET') asked.push(`${request.method} ${path}`);
      const found = request.method === 'GET' ? answers[path] : undefined;
      response.writeHead(found === undefined ? answer.status : 200, { 'Content-Type': 'application/json' });
      response.end(found === undefined ? answer.body : JSON.stringify(found));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  usualTest.each([
    [
      'an older skulk without the route',
      { status: 405, body: JSON.stringify({ detail: 'DELETE is not supported here', code: 'BAD_REQUEST' }) },
    ],
    ['a skulk without anything there', { status: 404, body: JSON.stringify({ detail: 'not found', code: 'NOT_FOUND' }) }],
    ['the Python program', { status: 404, body: JSON.stringify({ detail: 'Not Found' }) }],
    ['the Python program about a model', { status: 404, body: JSON.stringify({ detail: 'Model not found' }) }],
    ['a page of a proxy', { status: 404, body: '<html>nothing</html>' }],
  ])('such as %s is distinguished from one without the quantization, and is never asked to delete the model', async (_, answer) => {
    const { url, asked } = await olderHost(answer);
    const home = await temporaryDirectory();
    const ended = await runInProcess(['delete', 'org/three:Q8_0', '--yes', '--store', url], { env: { SKULK_HOME: home } });
    expect(ended).toMatchObject({ stdout: '', stderr: expect.stringContaining('only deletes whole models, so nothing was done') });
    expect(ended.status).toBe(2);
    expect(asked).toEqual(['DELETE /models/org%2Fthree/quantizations/Q8_0']);
  });
});

usualTest('a deleted quantization stays pending on nodes without support for such orders, and their copies stay', async () => {
  const world = await fleetWorld();
  await writeFiles(join(world.home, 'source'), { ...shards, ...shared, ...q4 });
  expect(await world.host('add', join(world.home, 'source'), '--as', 'org/two')).toMatchObject({ status: 0 });
  const host = await world.hostInProcess();
  const report = (node: string, knows?: readonly string[]) =>
    ask(host.url, `/nodes/${node}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ hostname: node, version: '1', agent: false, staged_models: 1, staged_bytes: 1, free_bytes: 1, knows }),
    });
  await report('old');
  await report('new', ['quantizations']);
  const ended = await world.host('delete', 'org/two:Q8_0', '--yes', '--json');
  expect(ended.status).toBe(9);
  const { nodes } = JSON.parse(ended.stdout) as { nodes: { node: string; status: string }[] };
  expect(nodes.filter(({ node }) => node !== 'host').map(({ node, status }) => [node, status])).toEqual([
    ['old', 'pending'],
    ['new', 'pending'],
  ]);
  expect((await report('old')).json()).toEqual({ orders: [] });
  const { orders } = (await report('new', ['quantizations'])).json() as { orders: object[] };
  expect(orders).toMatchObject([{ kind: 'evict', model_id: 'org/two', selector: 'Q8_0' }]);
  // A host that has a model and a scripted answer to the removal of a quantization.
  expect((await world.host('delete', 'org/two', '--yes')).status).toBe(9);
  const order = { kind: 'evict', model_id: 'org/two' };
  expect((await report('old')).json()).toMatchObject({ orders: [order] });
  expect((await report('new', ['quantizations'])).json()).toMatchObject({ orders: [order] });
});
