import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';

const files = {
  'README.md': 'read me',
  'config.json': '{"model_type":"llama"}',
  'Foo-Q4_K_M.gguf': noise(200_000, 1),
  'Foo-Q5_K_M-00001-of-00002.gguf': noise(100_000, 2),
  'Foo-Q5_K_M-00002-of-00002.gguf': noise(100_001, 3),
  'mmproj-Foo-f16.gguf': noise(50_000, 4),
};
const five = ['Foo-Q5_K_M-00001-of-00002.gguf', 'Foo-Q5_K_M-00002-of-00002.gguf'];
const shared = ['README.md', 'config.json', 'mmproj-Foo-f16.gguf'];
const pathsOf = async (world: Awaited<ReturnType<typeof hubWorld>>): Promise<string[]> =>
  (JSON.parse((await world.host('show', 'org/g', '--json')).stdout) as { files: { path: string }[] }).files.map(({ path }) => path);

test('the preferred quantization, then another one is added to it', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  await world.serveInProcess();
  expect((await world.host('download', 'org/g')).status).toBe(0);
  expect(await pathsOf(world)).toEqual(['Foo-Q4_K_M.gguf', ...shared]);
  expect((await world.host('download', 'org/g:Q5_K_M')).status).toBe(0);
  expect(await pathsOf(world)).toEqual(['Foo-Q4_K_M.gguf', ...five, ...shared]);
  expect(world.hub.sent('Foo-Q4_K_M.gguf')).toBe(200_000);
  expect(world.hub.sent('Foo-Q5_K_M-00001-of-00002.gguf')).toBe(100_000);
  const missing = await world.host('download', 'org/g:Q2_K', '--json');
  expect([missing.status, missing.stdout]).toEqual([3, '']);
  expect(JSON.parse(missing.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({
    code: 'FILE_NOT_FOUND',
    message: expect.stringContaining('org/g has no Q2_K on Hugging Face'),
    hint: 'it has Q4_K_M, Q5_K_M',
  });
  expect((await world.host('verify')).status).toBe(0);
});

test('--gguf-file names exactly one quantization', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  expect((await world.host('download', 'org/g', '--gguf-file', five[1] as string)).status).toBe(0);
  expect(await pathsOf(world)).toEqual([...five, ...shared]);
  const other = await hubWorld();
  other.hub.push('org/g', { files });
  const fallen = await other.host('download', 'org/g', '--gguf-file', 'Gone-Q8_0.gguf');
  expect(fallen.status).toBe(3);
  expect(fallen.stderr).toMatch(/Gone-Q8_0\.gguf.*Q4_K_M, Q5_K_M/s);
  expect((await other.host('show', 'org/g')).status).toBe(3);
});

test('an old entry without its projector is not served as whole, and the next download completes it', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  expect((await world.host('download', 'org/g')).status).toBe(0);
  // As the Python program left it: no manifest, and no projector.
  const registry = join(world.storePath, 'registry.json');
  const text = JSON.parse(await readFile(registry, 'utf8')) as Record<string, { files: string[] }>;
  const entries = (text['models'] ?? text) as Record<string, { files: string[] }>;
  const entry = entries['org/g'];
  if (entry === undefined) throw new Error('no entry');
  entry.files = entry.files.filter((path) => !path.startsWith('mmproj'));
  await writeFile(registry, JSON.stringify(text));
  await rm(join(world.storePath, 'org--g', 'mmproj-Foo-f16.gguf'));
  await rm(join(world.storePath, '.skulk', 'v1', 'manifests', 'org--g.json'));
  await rm(join(world.storePath, '.skulk', 'v1', 'seen', 'org--g.json'), { force: true });
  const served = await world.serveInProcess();
  expect((await fetch(`${served.url}/models/org%2Fg/files`)).status).toBe(404);
  const again = await world.host('download', 'org/g');
  expect(again.status, again.stderr).toBe(0);
  expect((await fetch(`${served.url}/models/org%2Fg/files`)).status).toBe(200);
  expect(world.hub.sent('Foo-Q4_K_M.gguf')).toBe(200_000);
  expect(world.hub.sent('mmproj-Foo-f16.gguf')).toBe(100_000);
});

test('stage of a quantization brings that one alone, from the Hub if need be', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  const served = await world.serveInProcess();
  const stage = async (ref: string, ...more: string[]) => {
    const ended = await world.nodeInProcess(served, 'node', 'stage', ref, '--json', ...more);
    return { ...ended, ...(ended.status === 0 && { staged: JSON.parse(ended.stdout).staged[0] }) };
  };
  const here = async (): Promise<string[]> =>
    (await readdir(join(world.staged('node'), 'org--g'))).filter((name) => !name.startsWith('.')).sort();
  const first = await stage('org/g:q5_k_m');
  expect(first.status, first.stderr).toBe(0);
  expect(first.staged).toMatchObject({
    source: 'store',
    files: 5,
    bytes_total: 250_001 + Buffer.byteLength(files['config.json'] + files['README.md']),
  });
  expect(await here()).toEqual([...five, ...shared]);
  expect(world.hub.sent('Foo-Q4_K_M.gguf')).toBe(0);
  expect((await stage('org/g:Q5_K_M')).staged).toMatchObject({ source: 'cache', bytes_transferred: 0 });
  expect((await stage(`org/g:${five[1]}`)).staged).toMatchObject({ source: 'cache' });
  expect((await stage('org/g:Q5_K_M', '--offline')).staged).toMatchObject({ source: 'cache' });
  // The other one is added to the store, and on the node it takes the place of the first.
  expect((await stage('org/g:Q4_K_M')).staged).toMatchObject({ bytes_transferred: 200_000, files: 4 });
  expect(await here()).toEqual(['Foo-Q4_K_M.gguf', ...shared]);
  expect((await stage('org/g', '--offline')).status).toBe(3);
  // The whole has everything, and is enough for either.
  expect((await stage('org/g')).staged).toMatchObject({ files: 6 });
  expect((await stage('org/g:Q5_K_M')).staged).toMatchObject({ source: 'cache' });
  const ran = await world.node(served, 'node', 'run', 'org/g:Q5_K_M', '--', 'echo', '{gguf}').exited;
  expect(ran.stdout.trim().endsWith(five[0] as string), ran.stderr).toBe(true);
  expect(
    (await runInProcess(['verify', '--staging'], { env: { SKULK_HOME: join(world.home, 'node'), SKULK_STORE: served.url } })).status,
  ).toBe(0);
  const gone = await stage('org/g:Q2_K');
  expect(gone).toMatchObject({ status: 3, stdout: '' });
  expect(gone.stderr).toContain('Q5_K_M');
});

test('a quantization that the repo lacks costs no byte', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  const served = await world.serveInProcess();
  expect((await world.nodeInProcess(served, 'node', 'stage', 'org/g:Q2_K')).status).toBe(3);
  for (const path of Object.keys(files)) expect(world.hub.sent(path), path).toBe(0);
});

test("the card's pin is taken when nothing else is named", async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  const cards = join(world.home, 'cards');
  await mkdir(cards);
  await writeFile(join(cards, 'org--g.toml'), `model_id = "org/g"\ngguf_file = "${five[0]}"\n`);
  await writeFile(join(world.home, 'skulk.yaml'), `model_store:\n  cards_path: ${cards}\n`);
  expect((await world.host('download', 'org/g', '--config', join(world.home, 'skulk.yaml'))).status).toBe(0);
  expect(await pathsOf(world)).toEqual([...five, ...shared]);
});
