import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { digestsBelow, noise } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { rounds, seededRandom, sized, testSeed } from '../helpers/seeded.ts';
import { runSkulk, startSkulk } from '../helpers/spawn-skulk.ts';
import { serveModels, serveThroughProxy } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const oldFiles = { 'config.json': 'v1', same: 'stays' };
const connections = 4;

/** A model of `chunks` chunks and some small files. */
const bigModel = (chunks: number) => ({
  'model.bin': noise(chunks * chunkSize - 12_345, 5),
  'config.json': 'v2',
  same: 'stays',
  'sub/tokens': noise(50_000, 6),
  empty: '',
});
const digestsOf = (files: Record<string, string | Uint8Array>) =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [path, sha256(content)]));
const bytesOf = (files: Record<string, string | Uint8Array>) =>
  Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content), 0);
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test('kill -9 at random moments loses a few chunks at most and never leaves a partial copy', async () => {
  const files = bigModel(sized({ small: 3, large: 14 }));
  const [before, after] = [digestsOf(oldFiles), digestsOf(files)];
  const { proxy, replace } = await serveThroughProxy({ 'org/m': oldFiles });
  const home = await temporaryDirectory();
  const env = { SKULK_HOME: home, SKULK_STORE: proxy.url };
  expect((await runInProcess(['stage', 'org/m'], { env })).status).toBe(0);
  await replace({ 'org/m': files });
  const began = proxy.bytes();
  const random = seededRandom(testSeed);
  const copy = join(home, 'staging', 'org--m');
  const kills = rounds({ few: 4, many: 12 });
  for (let kill = 0; kill < kills; kill += 1) {
    proxy.setRate(150e6);
    const stage = startSkulk(['stage', 'org/m', '--connections', String(connections), '-q'], { env });
    // Some kills during the start, most during the transfer; the last ones when the copy is published.
    const moment = kill < 2 ? sleep(random() * 500) : proxy.passed(proxy.bytes() + random() * sized({ small: 20e6, large: 60e6 }));
    await Promise.race([moment.then(() => (kill >= kills - 3 ? sleep(random() * 300) : undefined)), stage.exited]);
    stage.child.kill('SIGKILL');
    await stage.exited;
    if (await exists(copy)) {
      const found = await digestsBelow(copy);
      expect([before, after], `kill ${kill}, SKULK_TEST_SEED=${testSeed}`).toContainEqual(found);
      expect(await exists(join(copy, '.skulk.json'))).toBe(true);
    }
  }
  proxy.setRate(0);
  const ended = await runInProcess(['stage', 'org/m'], { env });
  expect(ended, `SKULK_TEST_SEED=${testSeed}`).toMatchObject({ status: 0, stdout: `${copy}\n` });
  expect(await digestsBelow(copy)).toEqual(after);
  const wanted = bytesOf(files) - 5;
  expect(proxy.bytes() - began, `SKULK_TEST_SEED=${testSeed}`).toBeGreaterThanOrEqual(wanted);
  expect(proxy.bytes() - began, `SKULK_TEST_SEED=${testSeed}`).toBeLessThanOrEqual(wanted + 6 * chunkSize);
  expect(await readdir(join(home, 'staging', '.skulk/v1/incoming'))).toEqual([]);
  expect(await readdir(join(home, 'staging', '.skulk/v1/trash'))).toEqual([]);
});

test('one kill in the middle costs only the chunks in transfer', async () => {
  const files = bigModel(sized({ small: 3, large: 6 }));
  const { proxy } = await serveThroughProxy({ 'org/m': files });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: proxy.url };
  const stage = startSkulk(['stage', 'org/m', '--connections', '2', '-q'], { env });
  proxy.setRate(150e6);
  await proxy.passed(1.5 * chunkSize);
  stage.child.kill('SIGKILL');
  await stage.exited;
  proxy.setRate(0);
  // The dry run predicts the transfer, including parts of pieces.
  const planned = JSON.parse((await runInProcess(['stage', 'org/m', '--dry-run', '--json'], { env })).stdout) as {
    planned: { bytes_to_transfer: number; bytes_to_reuse: number }[];
  };
  const staged = JSON.parse((await runInProcess(['stage', 'org/m', '-q', '--json'], { env })).stdout) as {
    staged: { bytes_transferred: number; bytes_reused: number }[];
  };
  expect(staged.staged[0]?.bytes_transferred).toBe(planned.planned[0]?.bytes_to_transfer);
  expect(proxy.bytes()).toBeLessThanOrEqual(bytesOf(files) + 2 * chunkSize);
});

test('a stage ends with 130 after SIGINT and with 143 after SIGTERM, the next run resumes, and a reader that leaves is not a failure', async () => {
  const files = bigModel(2);
  const { proxy } = await serveThroughProxy({ 'org/m': files });
  const home = await temporaryDirectory();
  const env = { SKULK_HOME: home, SKULK_STORE: proxy.url };
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    proxy.setRate(40e6);
    const stage = startSkulk(['stage', 'org/m', '--connections', '1', '-q'], { env });
    await proxy.passed(proxy.bytes() + chunkSize / 2);
    stage.child.kill(signal);
    const ended = await stage.exited;
    expect(ended).toMatchObject({ status, signal: null, stdout: '' });
    expect(ended.stderr).toMatch(/verified data is kept: run the command again to resume\n/);
    expect(await readdir(join(home, 'staging'))).toEqual(['.skulk']);
  }
  proxy.setRate(0);
  const last = startSkulk(['stage', 'org/m', '-q'], { env });
  last.child.stdout?.destroy();
  expect((await last.exited).status).toBe(0);
  expect(await digestsBelow(join(home, 'staging', 'org--m'))).toEqual(digestsOf(files));
  expect(proxy.bytes()).toBeLessThanOrEqual(bytesOf(files) + 2 * chunkSize);
});

test('one of two stages of the same model works, and the other waits and uses its result', async () => {
  const files = bigModel(2);
  const { proxy } = await serveThroughProxy({ 'org/m': files });
  const home = await temporaryDirectory();
  const env = { SKULK_HOME: home, SKULK_STORE: proxy.url };
  proxy.setFault(({ number, pass }) => (number === 1 ? bothAsked().then(pass) : undefined));
  // No byte moves before both have asked for the manifest.
  const bothAsked = (): Promise<unknown> =>
    until('two requests for the manifest', () => proxy.requests.filter((line) => line.endsWith('/manifest')).length >= 2);
  const both = await Promise.all([runSkulk(['stage', 'org/m', '--json'], { env }), runSkulk(['stage', 'org/m', '--json'], { env })]);
  expect(both.map(({ status, stderr }) => [status, stderr.includes('bug')])).toEqual([
    [0, false],
    [0, false],
  ]);
  const staged = both.map(({ stdout }) => JSON.parse(stdout).staged[0]);
  expect(staged.map(({ source }) => source).toSorted()).toEqual(['cache', 'store']);
  expect(new Set(staged.map(({ path }) => path)).size).toBe(1);
  expect(proxy.bytes()).toBe(bytesOf(files));
});

test('a killed purge leaves whole copies or no copies, and the next one completes it', async () => {
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`f${index}`, `${index}`]));
  const { url } = await serveModels({ 'org/a': many, 'org/b': many, 'org/c': many });
  const home = await temporaryDirectory();
  const env = { SKULK_HOME: home, SKULK_STORE: url };
  const root = join(home, 'staging');
  const random = seededRandom(testSeed);
  await mkdir(join(root, 'mine'), { recursive: true });
  await writeFile(join(root, 'mine', 'file'), 'x');
  expect((await runInProcess(['stage', 'org/a', 'org/b', 'org/c', '-q'], { env })).status).toBe(0);
  for (let kill = 0; kill < rounds({ few: 1, many: 6 }); kill += 1) {
    const purge = startSkulk(['purge-staging'], { env });
    await Promise.race([sleep(100 + random() * 400), purge.exited]);
    purge.child.kill('SIGKILL');
    await purge.exited;
    for (const name of ['org--a', 'org--b', 'org--c']) {
      if (await exists(join(root, name)))
        expect(Object.keys(await digestsBelow(join(root, name))).length, `SKULK_TEST_SEED=${testSeed}`).toBe(400);
    }
  }
  expect((await runInProcess(['purge-staging'], { env })).status).toBe(0);
  expect((await readdir(root)).toSorted()).toEqual(['.skulk', 'mine']);
  expect(await readdir(join(root, '.skulk/v1/trash'))).toEqual([]);
});
