import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findAria2 } from '../../src/core/swarm/aria2.ts';
import { endLeftAria2 } from '../../src/core/swarm/left-aria2.ts';
import { atEnd } from '../helpers/at-end.ts';
import { digestsBelow, digestsOfFiles } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until, within } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';
import { sharedModel, shareModel, stateOf } from './swarm-faults.ts';
import { swarmWorld } from './swarm-world.ts';

test('nodes that begin together take a model from the store and from each other', wants('aria2'), async () => {
  const { outcomes, nodes } = await shareModel('none', { nodes: 3, factor: 1 });
  // The wire sends what a swarm cannot: nothing here, because the other file is empty.
  expect(outcomes.map(({ bytesByWire }) => bytesByWire)).toEqual([0, 0, 0]);
  for (const { bytesBySwarm } of outcomes) expect(bytesBySwarm).toBeGreaterThanOrEqual(8 * 1024 * 1024 + 7);
  expect(nodes.flatMap(({ notes }) => notes)).toEqual([]);
});

test('a node whose aria2 is killed takes the rest from the store alone', wants('aria2'), async () => {
  const { nodes } = await shareModel('two killed', { nodes: 3, factor: 1 });
  expect(nodes[2]?.notes).toEqual([]);
});

test('a node that is alone takes a model by the wire, and no aria2 starts', async () => {
  const model = sharedModel(1);
  const world = await swarmWorld(model);
  const node = world.startNode('node');
  expect(await within('the node', node.done)).toMatchObject({ bytesBySwarm: 0, members: 1 });
  expect(await digestsBelow(node.files)).toEqual(digestsOfFiles(model));
  expect(await world.sent()).toBe(0);
});

test('a node on the wire changes to the swarm when another one comes', wants('aria2'), async () => {
  const model = sharedModel(1);
  const world = await swarmWorld(model);
  // The wire sends nothing until the end, so only the swarm can bring the bytes.
  const nodes = ['one', 'other'].map((name) =>
    world.startNode(name, { pieces: (all) => all.filter(({ end }) => end > 0), isWireHeld: true }),
  );
  for (const node of nodes) {
    expect((await within('the node', node.done)).bytesByWire).toBe(0);
    expect(await digestsBelow(node.files)).toEqual(digestsOfFiles(model));
  }
});

test('a node that reaches no peer takes a model by the wire, and says so once', wants('aria2'), async () => {
  const model = sharedModel(1);
  const world = await swarmWorld(model);
  await world.prepare();
  const ports: number[] = [];
  const tried = Promise.withResolvers<void>();
  const node = world.startNode('node', {
    // It tries again and again, while bytes arrive.
    isWireHeld: tried.promise,
    reaches: async (port) => {
      ports.push(port);
      if (ports.length === 3) tried.resolve();
      return false;
    },
  });
  expect(await within('the node', node.done)).toMatchObject({ bytesBySwarm: 0 });
  expect(await digestsBelow(node.files)).toEqual(digestsOfFiles(model));
  expect(node.notes).toEqual([expect.stringContaining(`TCP port ${ports[0]} of the store host`)]);
  expect(await world.sent()).toBe(0);
});

test('a node changes to the swarm when it reaches a peer', wants('aria2'), async () => {
  const model = sharedModel(1);
  const world = await swarmWorld(model);
  await world.prepare();
  const tries = [false, false, true];
  const node = world.startNode('node', {
    pieces: (all) => all.filter(({ end }) => end > 0),
    isWireHeld: true,
    reaches: async () => tries.shift() ?? true,
  });
  expect((await within('the node', node.done)).bytesByWire).toBe(0);
  expect(await digestsBelow(node.files)).toEqual(digestsOfFiles(model));
});

test('aria2 does not read what is verified, and takes only the rest from peers', wants('aria2'), async () => {
  const model = sharedModel(4);
  const world = await swarmWorld(model);
  await world.prepare();
  // The node believes that it has the first chunk, but has zeros. The last check of every piece finds that.
  const chunk = 16 * 1024 * 1024;
  const node = world.startNode('node', { pieces: (all) => all.filter(({ end }) => end !== chunk) });
  const { bytesBySwarm, bytesByWire } = await within('the node', node.done);
  expect(bytesBySwarm).toBeGreaterThanOrEqual(chunk);
  expect(bytesBySwarm).toBeLessThan(chunk + 1024 * 1024);
  expect(bytesByWire).toBe(chunk);
  expect(await digestsBelow(node.files)).toEqual(digestsOfFiles(model));
});

test('what peers sent counts only if it is as in the manifest', wants('aria2'), async () => {
  const model = sharedModel(1);
  const world = await swarmWorld(model);
  // The store describes damaged bytes, so aria2 finds nothing wrong with them.
  const damaged = Buffer.from(model['c.bin']);
  damaged.fill(0, 100, 200);
  await writeFile(join(world.canonical, 'c.bin'), damaged);
  await world.prepare();
  const node = world.startNode('node');
  await expect(within('the node', node.done)).rejects.toMatchObject({ code: 'INTEGRITY' });
  expect(node.bytesSoFar()).toBeGreaterThan(0);
  expect(node.verified.map(({ path }) => path)).not.toContain('c.bin');
  expect(node.verified.map(({ path }) => path)).toContain('b/w 1.bin');
});

test('nothing is created in the place of a missing canonical file, and nodes take the wire', wants('aria2'), async () => {
  const world = await swarmWorld(sharedModel(1));
  const { model_id: modelId, digest } = world.manifest;
  await rm(join(world.canonical, 'c.bin'));
  const before = await stateOf(world.canonical);
  const ask = () => world.swarms.ask(modelId, { digest }, '10.0.0.2');
  expect([(await ask()).state, (await ask()).state]).toEqual(['wire', 'wire']);
  await until('the refusal', () => world.warnings.length > 0);
  expect(await ask()).toEqual({ state: 'wire', member: '', members: 0, host_sent_bytes: 0 });
  expect(await stateOf(world.canonical)).toEqual(before);
});

test('a canonical file that disappears while it is shared is not created again', wants('aria2'), async () => {
  const model = sharedModel(1);
  const world = await swarmWorld(model);
  await world.prepare();
  await rm(join(world.canonical, 'c.bin'));
  const before = await stateOf(world.canonical);
  const node = world.startNode('node', { pieces: (all) => all.filter(({ end }) => end > 0) });
  expect((await within('the node', node.done)).bytesByWire).toBe(0);
  expect(await digestsBelow(node.files)).toEqual(digestsOfFiles(model));
  expect(await stateOf(world.canonical)).toEqual(before);
});

test.each(['by the next process', 'by itself'])('the aria2 of a killed process ends %s', wants('aria2'), async (how) => {
  const home = await temporaryDirectory();
  const [directory, record] = [join(home, 'aria2'), join(home, 'aria2.json')];
  await mkdir(directory);
  const [child, source] = ['./left-child.mjs', '../../src/core/swarm'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const program = findAria2({ env: process.env, cwd: '/' });
  const started = spawn(process.execPath, [child, source, program, directory, record] as string[], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  started.stdout.on('data', (text) => {
    said += String(text);
  });
  const pid = Number(
    await until(
      'aria2',
      () => /^(\d+)\nready/.exec(said)?.[1],
      () => said,
    ),
  );
  atEnd(async () => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  const exit = once(started, 'exit');
  started.kill('SIGKILL');
  await exit;
  if (how === 'by the next process') await endLeftAria2(record);
  else await until('the end of aria2', () => !isAlive(pid));
  await until('the end of aria2', () => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
