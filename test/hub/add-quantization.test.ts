import { watch } from 'node:fs';
import { open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow, digestsOfFiles, noise } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { rounds, seededRandom, testSeed } from '../helpers/seeded.ts';

const four = { 'Foo-Q4_K_M.gguf': noise(200_000, 1) };
const five = { 'Foo-Q5_K_M-00001-of-00002.gguf': noise(100_000, 2), 'Foo-Q5_K_M-00002-of-00002.gguf': noise(100_001, 3) };
const shared = { 'config.json': '{"model_type":"llama"}' };

/** A store on a host that uses models in place, with one of two quantizations. */
async function storeWithOne() {
  const world = await hubWorld();
  world.hub.push('org/g', { files: { ...four, ...five, ...shared } });
  const config = join(world.home, 'in-place.yaml');
  await writeFile(config, JSON.stringify({ model_store: { store_path: world.storePath, staging: { node_cache_path: world.storePath } } }));
  const host = (...args: readonly string[]) => world.host(...args, '--config', config);
  expect(await world.host('download', 'org/g:Q4_K_M')).toMatchObject({ status: 0 });
  const place = join(world.storePath, 'org--g');
  const look = async () => {
    const [file, directory] = await Promise.all([join(place, 'Foo-Q4_K_M.gguf'), place].map((path) => stat(path, { bigint: true })));
    return [file?.ino, file?.mtimeNs, directory?.ino];
  };
  return { ...world, host, place, look };
}

test('another quantization is added while the first is used in place, without changing existing files', async () => {
  const { host, place, look, hub, storePath } = await storeWithOne();
  await using held = await open(join(place, 'Foo-Q4_K_M.gguf'));
  expect(await host('activate', 'org/g', '--pid', String(process.pid))).toMatchObject({ status: 0, stdout: `${place}\n` });
  const before = await look();
  expect(await host('download', 'org/g:Q5_K_M')).toMatchObject({ status: 0 });
  expect(await look()).toEqual(before);
  expect((await held.stat()).nlink).toBe(1);
  expect(await digestsBelow(place)).toEqual(digestsOfFiles({ ...four, ...five, ...shared }));
  expect(hub.sent('Foo-Q4_K_M.gguf')).toBe(200_000);
  expect(await host('deactivate', 'org/g')).toMatchObject({ status: 0 });
  expect(await host('verify')).toMatchObject({ status: 0 });
  expect((await readdir(join(storePath, '.skulk/v1/incoming'))).filter((name) => !name.startsWith('.'))).toEqual([]);
  expect(await readdir(join(storePath, '.skulk/v1/trash')).catch(() => [])).toEqual([]);
});

test('every file is served at once after another quantization was added', async () => {
  const { serveInProcess, host } = await storeWithOne();
  const server = await serveInProcess();
  expect(await host('download', 'org/g:Q5_K_M', '--store', server.url)).toMatchObject({ status: 0 });
  for (const [path, content] of Object.entries({ ...four, ...five })) {
    const answer = await ask(server.url, `/models/org%2Fg/${path}`);
    expect([answer.status, answer.body.equals(content)]).toEqual([200, true]);
  }
});

test('a file of the user with the name of a new file stays, and the model is unchanged', async () => {
  const { host, place, look } = await storeWithOne();
  const before = await look();
  const other = join(place, 'Foo-Q5_K_M-00001-of-00002.gguf');
  await writeFile(other, 'mine');
  const refused = await host('download', 'org/g:Q5_K_M');
  expect(refused.status).toBe(5);
  expect(await readFile(other, 'utf8')).toBe('mine');
  expect(await look()).toEqual(before);
  expect((await readdir(place)).toSorted()).toEqual(['Foo-Q4_K_M.gguf', 'Foo-Q5_K_M-00001-of-00002.gguf', 'config.json']);
  await rename(other, `${place}-mine`);
  expect(await host('download', 'org/g:Q5_K_M')).toMatchObject({ status: 0 });
  expect(await look()).toEqual(before);
});

test.each(Array.from({ length: rounds({ few: 1, many: 12 }) }, (_, n) => n + 1))(
  `a kill while another quantization is added leaves the first unchanged, round %i (SKULK_TEST_SEED=${testSeed})`,
  async (round) => {
    const { host, place, look, startHost, storePath } = await storeWithOne();
    const before = await look();
    const last = 1 + Math.floor(seededRandom(testSeed + round * 7919)() * 60);
    let count = 0;
    let pid: number | undefined;
    const watcher = watch(storePath, { recursive: true }, () => {
      count += 1;
      if (count < last || pid === undefined) return;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    });
    onTestFinished(() => watcher.close());
    const skulk = startHost('download', 'org/g:Q5_K_M');
    pid = skulk.pid;
    await skulk.exited;
    watcher.close();
    expect(await look()).toEqual(before);
    // Repairs an interrupted change.
    expect(await host('verify')).toMatchObject({ status: 0 });
    expect(await look()).toEqual(before);
    const files = await digestsBelow(place);
    const isWhole = (Object.keys(five)[0] as string) in files;
    expect(files).toEqual(digestsOfFiles(isWhole ? { ...four, ...five, ...shared } : { ...four, ...shared }));
    const entries = JSON.parse(await readFile(join(storePath, 'registry.json'), 'utf8')) as Record<string, { files: string[] }>;
    expect(entries['org/g']?.files.toSorted()).toEqual(Object.keys(files).toSorted());
    expect(await host('download', 'org/g:Q5_K_M')).toMatchObject({ status: 0 });
    expect(await look()).toEqual(before);
    expect(await digestsBelow(place)).toEqual(digestsOfFiles({ ...four, ...five, ...shared }));
  },
);
