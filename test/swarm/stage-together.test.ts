import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { digestsBelow, digestsOfFiles, noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';
import { sharedStore, sharingNode, unfinished } from './shared-store.ts';
import { stateOf } from './swarm-faults.ts';

const mebibyte = 1024 * 1024;
const files = { 'config.json': '{}', 'w 1.bin': noise(9 * mebibyte + 5, 3), 'b/é#2.bin': noise(3 * mebibyte, 4) };

/** A directory with another program of that name. */
async function pathWith(program: string | undefined): Promise<string> {
  const directory = await temporaryDirectory();
  if (program === undefined) return directory;
  await writeFiles(directory, { aria2c: `#!/bin/sh\n${program}\n` });
  await chmod(join(directory, 'aria2c'), 0o755);
  return directory;
}

usualTest('two nodes share a model, and one with --no-swarm takes it from the store alone', wants('aria2'), async () => {
  const store = await sharedStore(files);
  const before = await stateOf(store.canonical);
  await store.prepare();
  const nodes = [await sharingNode(store), await sharingNode(store)];
  for (const staged of await Promise.all(nodes.map((node) => node.stage()))) {
    expect(staged).toMatchObject({ source: 'swarm', bytes_by_wire: 0, swarm: { members: expect.any(Number) } });
    expect(staged.swarm?.members).toBeGreaterThan(1);
    expect(staged.bytes_transferred).toBeGreaterThanOrEqual(12 * mebibyte + 7);
    expect(await digestsBelow(staged.path)).toMatchObject(digestsOfFiles(files));
  }
  for (const node of nodes) expect(await unfinished(node)).toEqual([]);
  expect(await stateOf(store.canonical)).toEqual(before);
  const third = await sharingNode(store);
  const { bytes_by_wire: byWire, ...alone } = await third.stage('--no-swarm');
  expect(alone).toMatchObject({ source: 'store' });
  expect([byWire, alone.swarm]).toEqual([undefined, undefined]);
});

longTest('with --no-swarm, a program gets a model from the store alone, and no aria2 starts', wants('aria2'), async () => {
  const store = await sharedStore(files);
  await store.prepare();
  const path = await pathWith('echo started >> "$0.log"; exit 1');
  const node = await sharingNode(store, { PATH: `${path}:/usr/bin:/bin` });
  const started = () => readdir(path).then((names) => names.includes('aria2c.log'));
  const run = (...options: readonly string[]) =>
    runInProcess(['run', ...options, 'org/a', '--', 'test', '-s', '{path}/config.json'], { env: node.env });
  expect(await run('--no-swarm')).toMatchObject({ status: 0 });
  expect(await started()).toBe(false);
  expect(await runInProcess(['purge-staging', 'org/a'], { env: node.env })).toMatchObject({ status: 0 });
  expect(await run()).toMatchObject({ status: 0 });
  expect(await started()).toBe(true);
});

longTest.each([
  ['is not installed', undefined],
  ['ends at once', 'exit 1'],
])('a node on which aria2 %s takes a model from the store alone', wants('aria2'), async (_, program) => {
  const store = await sharedStore(files);
  await store.prepare();
  const node = await sharingNode(store, { PATH: await pathWith(program) });
  const staged = await node.stage();
  expect(staged).toMatchObject({ source: 'store', bytes_transferred: 12 * mebibyte + 7 });
  expect(await digestsBelow(staged.path)).toMatchObject(digestsOfFiles(files));
  expect(await unfinished(node)).toEqual([]);
});

longTest('a node that serves sends its finished copy until nobody takes the model any more', wants('aria2'), async () => {
  const store = await sharedStore(files);
  const [first = '', second = ''] = await store.prepare();
  const { env, staging } = await sharingNode(store);
  const { SKULK_HOME: home = '', ...others } = env;
  const node = await serveInProcess({ home, args: ['--role', 'node'], env: others });
  const asked = await fetch(`${node.apiUrl}/node/stage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model_id: 'org/a' }),
  });
  expect(asked.status).toBeLessThan(300);
  const seeders = async () => {
    // Others that take the model ask again and again.
    for (const member of [first, second]) await store.ask({ member, has_torrent: true });
    const answer = (await (await fetch(`${node.apiUrl}/store/swarm`)).json()) as { swarms: { seeders: number }[] };
    return answer.swarms[0]?.seeders;
  };
  const own = join(staging, '.skulk', 'v1', 'seeding');
  const isSending = async () => (await readdir(own).catch((): string[] => [])).includes('aria2.json');
  await until('two peers with everything', async () => (await isSending()) && (await seeders()) === 2, node.stderr);
  for (const member of [first, second]) await store.ask({ member, leaves: true });
  await until('the end of its aria2', async () => !(await isSending()), node.stderr);
  expect(await digestsBelow(join(staging, 'org--a'))).toEqual(digestsOfFiles(files));
});
