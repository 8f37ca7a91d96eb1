import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestsBelow, digestsOfFiles, noise, writeFiles } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
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

test('two nodes take a model together, and one with --no-swarm takes it from the store alone', wants('aria2'), async () => {
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

test.each([
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
