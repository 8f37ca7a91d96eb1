import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const of = (metadata: Readonly<Record<string, string>>, seed: number): Buffer => Buffer.concat([ggufBytes(metadata), noise(3_000, seed)]);
/** Names that say nothing about the content of the files, or are misleading. */
const files = {
  'm-BF16.gguf': of({ 'general.architecture': 'llama', 'general.type': 'model' }, 1),
  'calibration.gguf': of({ 'general.type': 'imatrix' }, 2),
  'eyes.gguf': of({ 'general.architecture': 'clip', 'general.type': 'mmproj' }, 3),
  'pirate-Q4_K_M.gguf': of({ 'general.architecture': 'llama', 'general.type': 'adapter' }, 4),
  'config.json': '{}',
};
const staged = ['config.json', 'eyes.gguf', 'm-BF16.gguf'];

/** The files that a node stages of a model, and the description in the store. */
async function look(url: string) {
  const home = await temporaryDirectory();
  const node = (...args: readonly string[]) => runInProcess(args, { env: { SKULK_HOME: home, SKULK_STORE: url } });
  const json = async (...args: readonly string[]) => JSON.parse((await node(...args, '--json')).stdout);
  const [copy] = (await json('stage', 'org/m')).staged as { gguf_file: string; mmproj_file: string; selector: string }[];
  const here = (await readdir(join(home, 'staging', 'org--m'))).filter((name) => !name.startsWith('.'));
  const { quantizations } = (await json('show', 'org/m')) as { quantizations: { selector: string }[] };
  const { entries } = (await json('registry')) as {
    entries: { model_id: string; quantizations: string[]; tags: string[]; quantization: string }[];
  };
  const listed = entries.find(({ model_id }) => model_id === 'org/m');
  return { node, listed, copy, here: here.toSorted(), selectors: quantizations.map(({ selector }) => selector) };
}

test('files whose content is not weights are never preferred after an add, regardless of their names', async () => {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'source'), files);
  const env = { SKULK_HOME: home };
  expect(await runInProcess(['add', join(home, 'source'), '--as', 'org/m'], { env })).toMatchObject({ status: 0 });
  const server = await serveInProcess({ home });
  const { node, copy, here, selectors, listed } = await look(server.url);
  expect(listed).toMatchObject({ quantizations: ['BF16'], tags: ['vision'], quantization: 'BF16' });
  expect(copy).toMatchObject({ gguf_file: 'm-BF16.gguf', mmproj_file: 'eyes.gguf', selector: 'BF16' });
  expect(here).toEqual(staged);
  expect(selectors).toEqual(['BF16']);
  const use = await node('show', 'org/m', '--use', 'llama-server');
  expect(use.stdout).toMatch(/org\/m:BF16/);
  expect(use.stdout).not.toContain('pirate');
  // So does what Ollama pulls, and what Hub clients read.
  const ask = async (path: string) => (await fetch(`${server.url}${path}`)).json() as Promise<Record<string, unknown>>;
  const layers = (await ask('/v2/org/m/manifests/latest'))['layers'] as { mediaType: string; digest: string }[];
  const digestOf = (kind: string) => layers.find(({ mediaType }) => mediaType.endsWith(kind))?.digest;
  expect(digestOf('.model')).toBe(`sha256:${sha256(files['m-BF16.gguf'])}`);
  expect(digestOf('.projector')).toBe(`sha256:${sha256(files['eyes.gguf'])}`);
  expect(await ask('/v2/org/m/manifests/Q4_K_M')).toMatchObject({ errors: [{ code: 'MANIFEST_UNKNOWN' }] });
  expect(await ask('/api/models/org/m')).toMatchObject({ gguf: { architecture: 'llama' } });
  // Offline, the copy itself gives the same result.
  const ran = await node('stage', 'org/m', '--offline', '--print', 'mmproj');
  expect(ran.stdout).toMatch(/eyes\.gguf\n$/);
  expect(await node('stage', 'org/m:Q4_K_M')).toMatchObject({ status: 3, stderr: expect.stringContaining('it has BF16') });
  // It can be selected by its path.
  expect(await node('stage', 'org/m:pirate-Q4_K_M.gguf')).toMatchObject({ status: 0 });
  expect(await node('verify', '--staging')).toMatchObject({ status: 0 });
});

test('files whose content is not weights are never preferred after an upload, a download, or an entry of the Python program', async () => {
  const world = await hubWorld();
  world.hub.push('org/hub', { files });
  const served = await world.serveInProcess();
  await writeFiles(join(world.home, 'source'), files);
  const env = { SKULK_HOME: join(world.home, 'other'), SKULK_STORE: served.url };
  expect(await runInProcess(['add', join(world.home, 'source'), '--as', 'org/m'], { env })).toMatchObject({ status: 0 });
  expect((await look(served.url)).copy).toMatchObject({ gguf_file: 'm-BF16.gguf', mmproj_file: 'eyes.gguf' });
  const brought = await world.host('download', 'org/hub', '--whole', '--json');
  expect(JSON.parse(brought.stdout)).toMatchObject({ gguf_file: 'm-BF16.gguf' });
  const manifest = JSON.parse(await readFile(join(world.storePath, '.skulk/v1/manifests/org--hub.json'), 'utf8'));
  expect(manifest.groups.map(({ selector }: { selector: string }) => selector)).toEqual(['BF16']);
  // An incomplete one is completed, and the file to load is found by its content.
  for (const args of [['org/hub'], ['org/hub', '--revision', 'main']])
    expect(JSON.parse((await world.host('download', ...args, '--json')).stdout)).toMatchObject({ gguf_file: 'm-BF16.gguf' });

  const python = await temporaryDirectory();
  await mkdir(join(python, 'store'), { recursive: true });
  await writeFiles(join(python, 'store', 'org--m'), files);
  const entry = {
    model_id: 'org/m',
    store_path: 'org--m',
    files: Object.keys(files),
    downloaded_at: '2026-01-02T03:04:05+00:00',
    total_bytes: Object.values(files).reduce((sum, content) => sum + content.length, 0),
    repo_has_projector: null,
  };
  await writeFile(join(python, 'store', 'registry.json'), JSON.stringify({ 'org/m': entry }));
  // Without a server, before there is a manifest; the second time from the recorded facts.
  for (let turn = 0; turn < 2; turn += 1) {
    const { stdout } = await runInProcess(['registry', '--json'], { env: { SKULK_HOME: python } });
    expect(JSON.parse(stdout).entries).toMatchObject([{ quantizations: ['BF16'], quantization: 'BF16' }]);
  }
  const old = await serveInProcess({ home: python });
  expect((await look(old.url)).copy).toMatchObject({ gguf_file: 'm-BF16.gguf', mmproj_file: 'eyes.gguf' });
  await rm(join(python, 'store', '.skulk/v1/manifests/org--m.json'));
  expect(await runInProcess(['verify', '--repair'], { env: { SKULK_HOME: python } })).toMatchObject({ status: 0 });
});
