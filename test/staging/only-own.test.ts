import { chmod, cp, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { serveModels, serveThroughProxy } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const model = { 'a.gguf': 'the model', 'config.json': '{}' };

/** A node behind a proxy that counts what is sent, and its empty staging root. */
async function nodeBefore(place: (copy: string, home: string) => Promise<unknown>) {
  const { proxy, replace } = await serveThroughProxy({ 'org/m': model });
  const home = await temporaryDirectory();
  const root = join(home, 'staging');
  await mkdir(root);
  const copy = join(root, 'org--m');
  await place(copy, home);
  const env = { SKULK_HOME: home, SKULK_STORE: proxy.url };
  return { proxy, replace, home, root, copy, env };
}

const refusal = (copy: string) => ({ status: 5, stdout: '', stderr: expect.stringContaining(copy) });

async function expectLeftAlone(place: (copy: string, home: string) => Promise<unknown>): Promise<void> {
  const { proxy, copy, env } = await nodeBefore(place);
  const look = async () => [await readFile(copy, 'utf8').catch(() => ''), await readFile(join(copy, 'notes.txt'), 'utf8').catch(() => '')];
  const before = await look();
  for (const args of [
    ['stage', 'org/m'],
    ['stage', '--force', 'org/m'],
    ['stage', '--dry-run', 'org/m'],
    ['run', 'org/m', '--', 'true'],
  ]) {
    const ended = await runInProcess(args, { env });
    expect(ended, args.join(' ')).toMatchObject(refusal(copy));
    expect(ended.stderr).toContain('move it away');
  }
  expect(proxy.bytes()).toBe(0);
  expect(await look()).toEqual(before);
}

test.each<[string, (copy: string, home: string) => Promise<unknown>]>([
  ['a directory', (copy) => writeFiles(copy, { 'notes.txt': 'mine' })],
  ['a file', (copy) => writeFile(copy, 'mine')],
  [
    'a symbolic link to a directory with a file',
    async (copy, home) => {
      await writeFiles(join(home, 'mine'), { 'notes.txt': 'mine' });
      await symlink(join(home, 'mine'), copy);
    },
  ],
  [
    'a directory that cannot be written to',
    async (copy) => {
      await writeFiles(copy, { 'notes.txt': 'mine' });
      await chmod(copy, 0o555);
    },
  ],
])('stage and run do not change %s at the path of a copy, and fail before a byte is sent', (_, place) => expectLeftAlone(place));

test('stage and run do not change a mount point at the path of a copy', wants('a disk of their own'), () =>
  expectLeftAlone(async (copy) => {
    await smallDisk(1024 * 1024, copy);
    await writeFile(join(copy, 'notes.txt'), 'mine');
  }),
);

test('a renamed copy of another model is not accepted as a copy of this one', async () => {
  const { url } = await serveModels({ 'org/m': model, 'org/other': { 'b.gguf': 'other' } });
  const home = await temporaryDirectory();
  const env = { SKULK_HOME: home, SKULK_STORE: url };
  expect((await runInProcess(['stage', 'org/other'], { env })).status).toBe(0);
  const copy = join(home, 'staging/org--m');
  await cp(join(home, 'staging/org--other'), copy, { recursive: true });
  expect(await runInProcess(['stage', 'org/m'], { env })).toMatchObject(refusal(copy));
  expect(JSON.parse((await runInProcess(['purge-staging', '--force', '--json'], { env })).stdout)).toMatchObject({
    evicted: [{ model_id: 'org/other' }],
  });
  expect(await readFile(join(copy, 'b.gguf'), 'utf8')).toBe('other');
});

test('a copy directly from Hugging Face does not replace files that skulk did not create', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files: { 'a.safetensors': 'weights', 'config.json': '{}' } });
  const home = join(world.home, 'alone');
  const copy = join(home, 'staging/org--m');
  await writeFiles(copy, { 'notes.txt': 'mine' });
  // Port 9 of this machine: no program answers there.
  await writeFile(join(world.home, 'alone.yaml'), 'model_store:\n  store_port: 9\n');
  const env = { SKULK_HOME: home, HF_ENDPOINT: world.hub.url, SKULK_CONFIG: join(world.home, 'alone.yaml') };
  expect(await runInProcess(['stage', 'org/m'], { env })).toMatchObject(refusal(copy));
  expect(world.hub.requests).toEqual([]);
  expect(await readFile(join(copy, 'notes.txt'), 'utf8')).toBe('mine');
});

test('a file that a user put into a copy prevents its replacement, and stays after a purge', async () => {
  const { replace, copy, env } = await nodeBefore(async () => undefined);
  expect((await runInProcess(['stage', 'org/m'], { env })).status).toBe(0);
  await writeFiles(copy, { 'tuned/mine.gguf': 'mine', '.DS_Store': 'litter' });
  await replace({ 'org/m': { 'a.gguf': 'a newer one' } });
  for (const args of [
    ['stage', 'org/m'],
    ['stage', '--force', 'org/m'],
    ['stage', '--dry-run', 'org/m'],
  ])
    expect(await runInProcess(args, { env })).toMatchObject({ status: 5, stdout: '', stderr: expect.stringContaining('tuned/mine.gguf') });
  expect(await readFile(join(copy, 'a.gguf'), 'utf8')).toBe('the model');
  const purged = await runInProcess(['purge-staging', '--force'], { env });
  expect(purged).toMatchObject({ status: 0, stderr: expect.stringContaining('tuned/mine.gguf') });
  expect(await readdir(copy, { recursive: true })).toEqual(['tuned', 'tuned/mine.gguf']);
  expect(await readFile(join(copy, 'tuned/mine.gguf'), 'utf8')).toBe('mine');
  expect(await runInProcess(['stage', 'org/m'], { env })).toMatchObject(refusal(copy));
});

test('a copy that a killed process had moved away for a replacement is restored by the next run', async () => {
  const { root, copy, env, proxy } = await nodeBefore(async () => undefined);
  expect((await runInProcess(['stage', 'org/m'], { env })).status).toBe(0);
  const taken = join(root, '.skulk/v1/trash', `${'0123456789abcdef'.repeat(2).slice(0, 24)}.1.taken`);
  const takeAway = async (): Promise<void> => {
    await mkdir(taken, { recursive: true });
    await rename(copy, join(taken, 'org--m'));
  };
  await takeAway();
  const before = proxy.bytes();
  expect(await runInProcess(['stage', '--offline', 'org/m'], { env })).toMatchObject({ status: 0, stdout: `${copy}\n` });
  expect(proxy.bytes()).toBe(before);
  await takeAway();
  expect((await runInProcess(['reconcile'], { env })).status).toBe(0);
  expect(await readFile(join(copy, 'a.gguf'), 'utf8')).toBe('the model');
  expect(await readdir(join(root, '.skulk/v1/trash'))).toEqual([]);
});

test('files that a user put into the trash stay there and are reported', async () => {
  const { root, env } = await nodeBefore(async () => undefined);
  const mine = join(root, '.skulk/v1/trash/org--m.0123456789ab');
  await writeFiles(mine, { 'notes.txt': 'mine' });
  expect((await runInProcess(['stage', 'org/m'], { env })).status).toBe(0);
  expect((await runInProcess(['purge-staging', '--force'], { env })).status).toBe(0);
  expect(await runInProcess(['reconcile'], { env })).toMatchObject({ status: 0, stderr: expect.stringContaining(mine) });
  expect(await readFile(join(mine, 'notes.txt'), 'utf8')).toBe('mine');
});
