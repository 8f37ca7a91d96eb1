import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { askUsualPorts } from '../../src/core/connect/usual-ports.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { incomingCopy, stagingLayout } from '../../src/core/staging/layout.ts';
import { fakeHub } from '../helpers/fake-hub.ts';
import { type PythonStore, pythonStore } from '../helpers/python-store.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until, within } from '../helpers/waiting.ts';
import { testDeps, testWorld } from '../helpers/world.ts';

const id = 'org/plain';
const safe = { 'config.json': '{}', 'tokenizer.json': '{}', 'model.safetensors': Buffer.alloc(3_000_000, 7) };
const gguf = (byte: number): Buffer => Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(2000, byte)]);
const quantized = { 'config.json': '{}', 'm-Q4_K_M.gguf': gguf(1), 'm-Q8_0.gguf': gguf(2) };

/** Runs commands on a machine whose store is the Python program's. */
async function nodeOf(store: Pick<PythonStore, 'url'>, { hub }: { hub?: string } = {}) {
  const home = await temporaryDirectory();
  const env = { SKULK_HOME: home, SKULK_STORE: store.url, ...(hub !== undefined && { HF_ENDPOINT: hub }) };
  return { home, env, run: (...args: readonly string[]) => runInProcess(args, { env }) };
}

usualTest('show, registry and health describe the models of a Python store host', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  const { run } = await nodeOf(store);
  const shown = await run('show', id, '--json');
  expect(shown).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(shown.stdout)).toMatchObject({ model_id: id, hashed: false, digest: null, total_bytes: 3_000_004 });
  expect((await run('show', id)).status).toBe(0);
  expect(JSON.parse((await run('registry', '--json')).stdout).entries).toHaveLength(1);
  // That program reports neither its models nor its host, so they are counted, and the host is left out.
  const health = await run('health');
  expect(health).toMatchObject({ status: 0, stdout: expect.stringMatching(/^program +the Python Skulk$/m) });
  expect(health.stdout).toMatch(/^models +1$/m);
  expect(health.stdout).not.toMatch(/^host /m);
  expect(JSON.parse((await run('health', '--json')).stdout)).toMatchObject({ models: 1 });
});

usualTest('doctor reports that the Python program answers', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  const { run } = await nodeOf(store);
  const { stdout } = await run('doctor');
  expect(stdout).toContain(`the Python program answers at ${store.url}, with 1 model`);
});

usualTest('run gives a program the verified path of a model of a Python store host', async () => {
  const store = await pythonStore({ [id]: { files: safe } });
  const { home, env } = await nodeOf(store);
  const running = startSkulk(['run', id, '--', 'sh', '-c', 'wc -c < "$1/model.safetensors"', 'sh', '{path}'], { env });
  const ended = await within('the program', running.exited, running.stderr);
  expect(ended).toMatchObject({ status: 0, stdout: '3000000\n' });
  expect(JSON.parse(await readFile(join(home, 'staging/org--plain/.skulk.json'), 'utf8'))).toMatchObject({
    staged: { verified: 'arrival' },
  });
});

longTest('a killed stage from a Python store host resumes, and requests only missing data', async () => {
  const files = { ...safe, 'model.safetensors': Buffer.alloc(9_000_000, 3) };
  const store = await pythonStore({ [id]: { files } });
  const { home, env, run } = await nodeOf(store);
  store.fault = ({ path, response, body, start, end }) => {
    if (path !== 'model.safetensors') return false;
    response.writeHead(206, { 'Content-Length': end - start, 'Content-Range': `bytes ${start}-${end - 1}/${body.length}` });
    response.write(body.subarray(start, 6_500_000));
    return true;
  };
  const running = startSkulk(['stage', id], { env });
  const journal = join(incomingCopy(stagingLayout(join(home, 'staging')), parseModelId(id)).path, 'hub-journal');
  await until('six blocks in the journal', async () => {
    const lines = (await readFile(journal, 'utf8').catch(() => '')).split('\n');
    return lines.filter((line) => line.includes('model.safetensors')).length >= 6;
  });
  running.child.kill('SIGKILL');
  await within('the end', running.exited);
  store.fault = undefined;
  const before = store.bytes();
  expect((await run('stage', id)).status).toBe(0);
  // Three missing blocks, and one that is compared.
  expect(store.bytes() - before).toBeLessThan(4.5 * 1024 * 1024);
  expect((await readFile(join(home, 'staging/org--plain/model.safetensors'))).equals(files['model.safetensors'])).toBe(true);
});

usualTest('download resolves a quantization on this machine and names its file to the Python program', async () => {
  const hub = await fakeHub();
  hub.push('org/m-GGUF', { files: quantized });
  const store = await pythonStore();
  store.hub.set('org/m-GGUF', quantized);
  const { run } = await nodeOf(store, { hub: hub.url });
  const ended = await run('download', 'org/m-GGUF:Q8_0');
  expect(ended.status).toBe(0);
  expect(store.asked).toEqual([{ gguf_file: 'm-Q8_0.gguf' }]);
  expect(Object.keys(store.models.get('org/m-GGUF')?.files ?? {})).toEqual(['config.json', 'm-Q8_0.gguf']);
});

usualTest('download refuses options that the Python program would ignore', async () => {
  const hub = await fakeHub();
  hub.push('org/m-GGUF', { files: quantized });
  const store = await pythonStore({ 'org/m-GGUF': { files: { 'config.json': '{}', 'm-Q4_K_M.gguf': gguf(1) } } });
  const { run } = await nodeOf(store, { hub: hub.url });
  expect(await run('download', 'org/m-GGUF:Q8_0')).toMatchObject({ status: 5, stderr: expect.stringContaining('without "m-Q8_0.gguf"') });
  expect(await run('download', 'org/m-GGUF@main')).toMatchObject({ status: 2, stderr: expect.stringContaining('Python program') });
  expect(await run('download', 'org/m-GGUF', '--whole')).toMatchObject({ status: 2 });
  expect(store.asked).toEqual([]);
});

usualTest('delete reports the bytes that the Python program freed, and fails when it did not delete the model', async () => {
  const store = await pythonStore({ [id]: { files: safe }, 'org/stays': { files: safe } });
  const { run } = await nodeOf(store);
  expect(JSON.parse((await run('delete', id, '--yes', '--json')).stdout)).toMatchObject({ deleted: [id], freed_bytes: 3_000_004 });
  store.models.delete = () => true;
  expect(await run('delete', 'org/stays', '--yes')).toMatchObject({ status: 5, stderr: expect.stringContaining('still lists it') });
});

longTest('delete also removes the copies on this machine, of each model that a Python store host deletes', async () => {
  const store = await pythonStore({ [id]: { files: safe }, 'org/other': { files: { 'config.json': '{}' } } });
  const { home, run } = await nodeOf(store);
  expect(await run('stage', id, 'org/other')).toMatchObject({ status: 0 });
  expect(JSON.parse((await run('delete', id, '--yes', '--json')).stdout)).toMatchObject({ freed_bytes: 6_000_008 });
  expect(JSON.parse((await run('delete', 'org/other', '--yes', '--json')).stdout)).toMatchObject({
    deleted: ['org/other'],
    freed_bytes: 4,
    nodes: [{ status: 'done', freed_bytes: 2 }],
  });
  expect((await readdir(join(home, 'staging'))).filter((name) => name !== '.skulk')).toEqual([]);
});

usualTest.each([
  ['verify', ['verify']],
  ['optimize', ['optimize', id]],
  ['optimizations', ['optimizations']],
  ['uploads', ['uploads']],
  ['nodes', ['nodes']],
  ['nodes --forget', ['nodes', '--forget', 'kite3']],
  ['stage --on', ['stage', id, '--on', 'kite3']],
  ['cancel', ['cancel', id]],
  ['downloads --clear', ['downloads', '--clear']],
  ['policy', ['policy', 'show']],
  ['policy set', ['policy', 'set', 'lan', 'read']],
  ['token list', ['token', 'list']],
  ['token create', ['token', 'create', 'laptop', '--role', 'read']],
])('%s reports that the Python program does not support it', async (_, args) => {
  const store = await pythonStore({ [id]: { files: safe } });
  const { run } = await nodeOf(store);
  expect(await run(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining('is the Python program, which cannot') });
});

usualTest.each([[['reconcile']], [['reconcile', '--dry-run']]])(
  '%j does not warn that a Python store host gives no orders',
  async (args) => {
    const store = await pythonStore({ [id]: { files: safe } });
    const { run } = await nodeOf(store);
    expect(await run(...args)).toMatchObject({ status: 0, stderr: expect.not.stringContaining('warning') });
  },
);

usualTest.each([[['delete', 'org/none', '--yes']], [['delete', 'org/none', '--dry-run']]])(
  '%j finds no such model in the store of the Python program',
  async (args) => {
    const store = await pythonStore({ [id]: { files: safe } });
    const { run } = await nodeOf(store);
    expect(await run(...args)).toMatchObject({ status: 3, stderr: expect.stringContaining('org/none is not in the store') });
    expect(store.models.has(id)).toBe(true);
  },
);

usualTest('add reports that the Python program cannot receive a model', async () => {
  const store = await pythonStore();
  const { home, run } = await nodeOf(store);
  await writeFile(join(home, 'config.json'), '{}');
  const ended = await run('add', join(home, 'config.json'), '--as', 'org/new');
  expect(ended).toMatchObject({ status: 2, stderr: expect.stringContaining('cannot accept models') });
});

usualTest('the search at the usual ports of a host finds the Python program', async () => {
  const store = await pythonStore();
  const { port } = new URL(store.url);
  const found = await askUsualPorts(testDeps(testWorld(await temporaryDirectory())), '127.0.0.1', [Number(port), 1]);
  expect(found).toEqual([{ url: store.url, version: null }]);
});

usualTest('staging and verify --staging report a copy that was only hashed on arrival, and not one that matches Hugging Face', async () => {
  const hub = await fakeHub();
  hub.push(id, { files: safe });
  const store = await pythonStore({ [id]: { files: safe }, 'org/other': { files: { 'config.json': '{}' } } });
  const { run } = await nodeOf(store, { hub: hub.url });
  expect(await run('stage', id)).toMatchObject({ status: 0 });
  expect(await run('stage', 'org/other')).toMatchObject({ status: 0 });
  const { models } = JSON.parse((await run('staging', '--json')).stdout) as { models: { model_id: string; verified?: string }[] };
  expect(Object.fromEntries(models.map(({ model_id, verified }) => [model_id, verified]))).toEqual({ [id]: 'hub', 'org/other': 'arrival' });
  const text = (await run('staging')).stdout;
  expect(text).toContain('only hashed on arrival: org/other');
  expect(text).not.toContain(`only hashed on arrival: ${id}`);
  const checked = await run('verify', '--staging', '--json');
  expect(JSON.parse(checked.stdout)).toMatchObject({
    ok: true,
    models: expect.arrayContaining([
      { model_id: id, status: 'ok', bad_files: [] },
      { model_id: 'org/other', status: 'ok', bad_files: [], note: expect.stringContaining('hashes of its arrival') },
    ]),
  });
});
