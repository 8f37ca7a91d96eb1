import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { atEnd } from '../helpers/at-end.ts';
import { digestsBelow, digestsOfFiles, noise, writeFiles } from '../helpers/model-files.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { type RunningSkulk, type Served, startServe, startSkulk } from '../helpers/spawn-skulk.ts';
import { until, within } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';
import { machineYaml, type SharingNode, sharedStore, sharingNode, unfinished } from './shared-store.ts';
import { stateOf } from './swarm-faults.ts';
import './stage-together.test.ts';

const mebibyte = 1024 * 1024;
/** Each file is one piece for the store and for aria2. */
const files = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [`${index}.bin`, noise(mebibyte, index + 1)]));
const expected = digestsOfFiles(files);

/** A slow stage in its own process, which takes the model together with others. */
async function slowStage(node: SharingNode): Promise<RunningSkulk & { aria2(): Promise<number> }> {
  const running = startSkulk(['stage', '--json', '--limit-rate', '1M', 'org/a'], { env: node.env });
  const record = join(node.staging, '.skulk', 'v1', 'incoming', 'org--a', 'aria2.json');
  const aria2 = async (): Promise<number> => (JSON.parse(await readFile(record, 'utf8')) as { pid: number }).pid;
  await until(
    'three files from peers',
    async () => {
      if (running.child.exitCode !== null) throw new Error(`it ended: ${running.stderr()}`);
      return (await receivedBy(node)).length >= 3;
    },
    running.stderr,
  );
  return { ...running, aria2 };
}

/** The complete files of an unfinished copy. */
async function receivedBy({ staging }: SharingNode): Promise<readonly string[]> {
  const found = await digestsBelow(join(staging, '.skulk', 'v1', 'incoming', 'org--a', 'files')).catch(() => ({}));
  return Object.entries(found).flatMap(([path, digest]) => (expected[path] === digest ? [path] : []));
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a killed stage loses nothing that it received from others', wants('aria2'), async () => {
  const store = await sharedStore(files);
  const before = await stateOf(store.canonical);
  await store.prepare();
  const node = await sharingNode(store);
  const slow = await slowStage(node);
  const pid = await slow.aria2();
  slow.child.kill('SIGKILL');
  await slow.exited;
  const received = (await receivedBy(node)).length;
  const staged = await node.stage();
  await until('the end of its aria2', () => !isAlive(pid));
  expect(staged.bytes_reused).toBeGreaterThanOrEqual(received * mebibyte);
  expect(await digestsBelow(staged.path)).toMatchObject(expected);
  expect(await unfinished(node)).toEqual([]);
  expect(await stateOf(store.canonical)).toEqual(before);
});

test('a node takes the rest from a store host that was killed and started again', wants('aria2'), async () => {
  const served: Served[] = [];
  const store = await sharedStore(files, async ({ home }) => {
    const first = await startServe({ home });
    served.push(first);
    return first;
  });
  const before = await stateOf(store.canonical);
  await store.prepare();
  const node = await sharingNode(store, { SKULK_STALL_TIMEOUT: '20' });
  const slow = await slowStage(node);
  const record = join(store.server.storePath, '.skulk', 'v1', 'seeding', 'aria2.json');
  const { pid } = JSON.parse(await readFile(record, 'utf8')) as { pid: number };
  await served[0]?.kill();
  const { port } = new URL(store.server.url);
  await startServe({ home: store.home, listen: ['--host', '127.0.0.1', '--port', port, '--api-port', '0'] });
  await until('the end of the aria2 of the killed server', () => !isAlive(pid));
  const { status, stdout, stderr } = await within('the stage', slow.exited, slow.stderr);
  expect([status, stderr]).toEqual([0, expect.any(String)]);
  const { path } = (JSON.parse(stdout) as { staged: [{ path: string }] }).staged[0];
  expect(await digestsBelow(path)).toMatchObject(expected);
  expect(await stateOf(store.canonical)).toEqual(before);
});

test('a peer that sends garbage costs a node nothing but time', wants('aria2'), async () => {
  const store = await sharedStore(files);
  const before = await stateOf(store.canonical);
  await store.prepare();
  let visits = 0;
  const garbage = createServer((socket) => {
    visits += 1;
    socket.on('error', () => undefined);
    socket.write(noise(64 * 1024, visits));
  });
  await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
  atEnd(async () => void garbage.close());
  const { member, torrent = '' } = await until('the swarm', async () => {
    const answer = await store.ask();
    return answer.state === 'swarm' ? answer : undefined;
  });
  const bytes = Buffer.from(torrent, 'base64');
  const hash = createHash('sha1').update(bytes.subarray('d4:info'.length, -1)).digest();
  const query = [...hash].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const { port } = garbage.address() as AddressInfo;
  const announced = await fetch(`${store.server.url}/swarm/announce?key=${member}&info_hash=${query}&port=${port}&left=0`);
  expect(await announced.text()).toContain('5:peers');
  const node = await sharingNode(store);
  const staged = await node.stage();
  expect(staged).toMatchObject({ source: 'swarm', bytes_by_wire: 0 });
  expect(await digestsBelow(staged.path)).toMatchObject(expected);
  expect(visits).toBeGreaterThan(0);
  expect(await stateOf(store.canonical)).toEqual(before);
});

test(
  'a disk that fills while a node takes a model together ends the stage with 7, and nothing is lost or broken',
  wants('aria2', 'a disk of their own'),
  async () => {
    const store = await sharedStore(files);
    await store.prepare();
    const disk = await smallDisk(40 * mebibyte);
    const node = await sharingNode(store, { SKULK_HOME: join(disk.path, 'home') });
    await writeFiles(join(disk.path, 'home'), { 'machine.yaml': machineYaml });
    const slow = await slowStage({ ...node, staging: join(disk.path, 'home', 'staging') });
    const pid = await slow.aria2();
    await disk.leave(0);
    const { status, stdout, stderr } = await within('the stage', slow.exited, slow.stderr);
    expect([status, stdout], stderr).toEqual([7, '']);
    expect(stderr).toMatch(/no space left on the disk.*free some space/);
    await until('the end of its aria2', () => !isAlive(pid));
    await disk.leave('all');
    const staged = await node.stage();
    expect(staged.bytes_reused).toBeGreaterThanOrEqual(3 * mebibyte);
    expect(await digestsBelow(staged.path)).toMatchObject(expected);
    expect(await unfinished({ ...node, staging: join(disk.path, 'home', 'staging') })).toEqual([]);
  },
);
