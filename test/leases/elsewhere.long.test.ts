import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { urlFromHere } from '../../src/core/connect/url-from-here.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { beat, leaveUnattended } from '../../src/core/kernel/process/heartbeat.ts';
import type { LockHolder } from '../../src/core/kernel/process/lock-claims.ts';
import { createObserver } from '../../src/core/kernel/process/observe.ts';
import { identifySelf, namespaceOf, type ProcessOnMachine } from '../../src/core/kernel/process/process-identity.ts';
import { keepLeases } from '../../src/core/node/keep-leases.ts';
import { watchCopies } from '../../src/core/node/watch-copies.ts';
import { activate } from '../../src/core/operations/stage/leases.ts';
import { stagingLayout } from '../../src/core/staging/layout.ts';
import { beatPath, readLeases, sortLeases } from '../../src/core/staging/leases/lease.ts';
import { takeLease } from '../../src/core/staging/leases/take-lease.ts';
import { clearAbandonedPlaces, makeIncomingPlace, requireOwnPlace } from '../../src/core/store/ingest/incoming.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { serveModels, stagingNode } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { leaseNode } from './lease-node.ts';

const modelId = parseModelId('org/m');
const elsewhere: ProcessOnMachine = { pid: 1, startTime: 'another:7', hostname: 'box', namespace: 'pid:[1]' };
const { signal } = new AbortController();

/** Leases as seen by commands that run one after the other, while time passes. */
async function leasesSeenFromOutside() {
  const layout = stagingLayout(await temporaryDirectory());
  let ms = 1_000;
  const began = Date.now();
  const look = async () => {
    const observer = createObserver({ boot: async () => 'b', name: 'n', now: () => ms });
    const { live, dead } = await sortLeases(layout, new Date(began + ms), observer);
    return { live: live.length, dead: dead.length };
  };
  const pass = (seconds: number): void => {
    ms += seconds * 1000;
  };
  const take = (more: object = {}) =>
    takeLease(layout, { modelId, purpose: 'a test', holders: [elsewhere], now: new Date(began), signal, ...more });
  return { layout, look, pass, take, began };
}

describe('a lease of a process in another namespace or on another machine', () => {
  test('is valid while its heartbeat changes, and half a minute longer', async () => {
    const { layout, look, pass, take } = await leasesSeenFromOutside();
    const { lease } = await take();
    for (let beats = 0; beats < 5; beats += 1) {
      expect(await look()).toEqual({ live: 1, dead: 0 });
      pass(29);
      expect(await look()).toEqual({ live: 1, dead: 0 });
      pass(31);
      await beat(beatPath(layout, lease.lease_id));
    }
    expect(await look()).toEqual({ live: 1, dead: 0 });
    pass(31);
    expect(await look()).toEqual({ live: 0, dead: 1 });
    // It was only suspended: then it counts again, if no process has removed it.
    await beat(beatPath(layout, lease.lease_id));
    expect(await look()).toEqual({ live: 1, dead: 0 });
  });

  test('without a holder that renews it is valid for its given time, and longer while a holder renews it', async () => {
    const { layout, look, pass, take, began } = await leasesSeenFromOutside();
    const { lease } = await take({ unattendedUntil: new Date(began + 3_600_000) });
    const file = beatPath(layout, lease.lease_id);
    await look();
    pass(3_000);
    expect(await look()).toEqual({ live: 1, dead: 0 });
    await beat(file);
    expect(await look()).toEqual({ live: 1, dead: 0 });
    pass(31);
    expect(await look()).toEqual({ live: 0, dead: 1 });
    await leaveUnattended(file);
    expect(await look()).toEqual({ live: 1, dead: 0 });
    pass(600);
    expect(await look()).toEqual({ live: 0, dead: 1 });
  });

  test('that was removed meanwhile is not written again, and its holder is notified', async () => {
    const { layout, take } = await leasesSeenFromOutside();
    const held = await take({ holders: undefined });
    await held.release();
    await expect(held.cover([parseModelId('org/n')])).rejects.toMatchObject({ code: 'LOCKED' });
    await expect(held.handTo([elsewhere])).rejects.toMatchObject({ code: 'LOCKED' });
    expect(await readdir(layout.leases)).toEqual([]);
  });
});

test('a server renews the leases of other programs as long as it runs', async () => {
  const { url } = await serveModels({ 'org/m': { a: 'first' } });
  const node = await stagingNode(url);
  await node.stage('org/m');
  const layout = stagingLayout(node.root);
  const program = spawn('sleep', ['600']);
  onTestFinished(() => void program.kill('SIGKILL'));
  await once(program, 'spawn');
  const { lease_id } = await activate(node.deps, { ref: { modelId }, pid: program.pid ?? 0, forMs: 60_000 });
  // A process with the same pid elsewhere is a different one.
  const other = await takeLease(layout, {
    modelId,
    purpose: 'skulk activate',
    holders: [{ ...elsewhere, pid: program.pid ?? 0 }],
    now: new Date(),
    signal,
  });
  const pulseOf = (id: string): Promise<string> => readFile(beatPath(layout, id), 'utf8');
  const before = await pulseOf(lease_id);
  const [mine] = (await readLeases(layout)).filter((lease) => lease.lease_id === lease_id);
  expect(Date.parse(mine?.unattended_until ?? '') - Date.parse(mine?.taken_at ?? '')).toBe(60_000);
  const stop = keepLeases(node.deps);
  const first = await until('a heartbeat', async () => (await pulseOf(lease_id)) !== before && pulseOf(lease_id));
  await until('the next one', async () => (await pulseOf(lease_id)) !== first);
  await stop();
  expect(await pulseOf(lease_id)).toBe(before);
  expect(await pulseOf(other.lease.lease_id)).toBe(before);
  // The same process again is one lease; one of a process elsewhere stays.
  await activate(node.deps, { ref: { modelId }, pid: program.pid ?? 0 });
  expect((await readLeases(layout)).map((lease) => lease.lease_id)).toEqual([other.lease.lease_id, expect.any(String)]);
});

test('an incoming directory of a process elsewhere is removed only after half a minute of silence, and moved files are restored', async () => {
  const home = await temporaryDirectory();
  const layout = storeLayout(join(home, 'store'));
  const origin = join(home, 'origin');
  await mkdir(origin);
  await mkdir(layout.incoming, { recursive: true });
  const place = await makeIncomingPlace(layout, modelId, origin);
  await writeFile(join(place.files, 'weights'), 'precious');
  const owner = JSON.parse(await readFile(join(place.path, 'owner.json'), 'utf8'));
  expect(owner).toMatchObject(await identifySelf());
  await writeFile(join(place.path, 'owner.json'), JSON.stringify({ ...owner, ...elsewhere }));
  let ms = 1_000;
  const clear = () =>
    clearAbandonedPlaces(layout, new Date(), () => undefined, createObserver({ boot: async () => 'b', name: 'n', now: () => ms }));
  await clear();
  ms += 29_000;
  await clear();
  await beat(join(place.path, 'beat'));
  ms += 29_000;
  await clear();
  expect(await readFile(join(place.files, 'weights'), 'utf8')).toBe('precious');
  ms += 31_000;
  await clear();
  expect(await readFile(join(origin, 'weights'), 'utf8')).toBe('precious');
  expect((await readdir(layout.incoming)).filter((name) => !name.startsWith('.seen-'))).toEqual([]);
});

test('a draft in incoming of another container is not confused with a dead pid here', async () => {
  const layout = storeLayout(await temporaryDirectory());
  const draft = join(layout.incoming, `.4194303.${'a'.repeat(16)}.tmp`);
  await mkdir(draft, { recursive: true });
  let ms = 1_000;
  const clear = () =>
    clearAbandonedPlaces(layout, new Date(), () => undefined, createObserver({ boot: async () => 'b', name: 'n', now: () => ms }));
  await clear();
  await mkdir(join(draft, 'files'));
  ms += 31_000;
  await clear();
  expect(await readdir(layout.incoming)).toContain(`.4194303.${'a'.repeat(16)}.tmp`);
  ms += 31_000;
  await clear();
  expect(await readdir(layout.incoming)).not.toContain(`.4194303.${'a'.repeat(16)}.tmp`);
});

test('a loopback address of a server elsewhere counts only within its own network namespace', async () => {
  const self = await identifySelf();
  const holder: LockHolder = {
    ...self,
    token: 't',
    since: '',
    purpose: 'skulk serve',
    url: 'http://127.0.0.1:58080',
    outside_url: 'http://172.17.0.2:58080',
  };
  expect(urlFromHere(holder)).toBe('http://127.0.0.1:58080');
  expect(urlFromHere({ ...holder, ...elsewhere })).toBe('http://172.17.0.2:58080');
  for (const loopback of ['http://127.0.0.1:58080', 'http://127.1.2.3:1', 'http://localhost:58080', 'http://[::1]:58080'])
    expect(urlFromHere({ ...holder, ...elsewhere, url: loopback, outside_url: loopback }), loopback).toBeUndefined();
  if (process.platform !== 'linux') return;
  const contained = { ...holder, namespace: 'pid:[1]', network: namespaceOf('net') ?? '' };
  expect(urlFromHere(contained)).toBe('http://127.0.0.1:58080');
  expect(urlFromHere({ ...contained, network: 'net:[1]' })).toBe('http://172.17.0.2:58080');
});

test('an incoming directory that was removed meanwhile is reported as lost', async () => {
  const layout = storeLayout(await temporaryDirectory());
  await mkdir(layout.incoming, { recursive: true });
  const place = await makeIncomingPlace(layout, modelId);
  await requireOwnPlace(place);
  const owner = await readFile(join(place.path, 'owner.json'), 'utf8');
  await writeFile(join(place.path, 'owner.json'), JSON.stringify({ ...JSON.parse(owner), ...elsewhere }));
  await expect(requireOwnPlace(place)).rejects.toMatchObject({ code: 'LOCKED' });
  await rm(place.path, { recursive: true });
  await mkdir(place.files, { recursive: true });
  await expect(requireOwnPlace(place)).rejects.toMatchObject({
    code: 'LOCKED',
    hint: expect.stringContaining('back in their original place'),
  });
});

test('a watcher of copies reports changes of leases but not heartbeats', async () => {
  const { url } = await serveModels({ 'org/m': { a: 'first' } });
  const node = await stagingNode(url);
  await node.stage('org/m');
  const layout = stagingLayout(node.root);
  const first = await takeLease(layout, { modelId, purpose: 'a test', now: new Date(), signal });
  let told = 0;
  onTestFinished(
    watchCopies(node.deps, () => {
      told += 1;
    }),
  );
  // It reports each directory when it starts to watch it.
  await until('the watch', async () => {
    const before = told;
    await rm(join(layout.leases, 'probe.json'), { force: true });
    await writeFile(join(layout.leases, 'probe.json'), '');
    return told > 1 && told > before;
  });
  const before = told;
  for (let beats = 0; beats < 50; beats += 1) await writeFile(join(layout.leases, `${beats}.beat`), '');
  // Reports arrive in the order of the changes.
  await first.release();
  await until('the end of the lease', () => told > before);
  expect(told - before).toBeLessThan(25);
});

test('purge-staging shows until when it keeps a copy that a program elsewhere uses, and how to remove it now', async () => {
  const { url } = await serveModels({ 'org/m': { a: 'first' } });
  const node = await leaseNode(url, { budgetGb: 40 });
  await node.run('stage', 'org/m');
  const unattendedUntil = new Date(Date.now() + 3_600_000);
  const wanted = { modelId, purpose: 'skulk activate', holders: [elsewhere], unattendedUntil, now: new Date(), signal };
  await using _ = await takeLease(stagingLayout(node.root), wanted);
  expect((await node.run('purge-staging')).stdout).toContain(
    `on box; kept until a server there has been silent for 30 s, without a server until ${unattendedUntil.toISOString()}; --force removes it now\n`,
  );
  expect((await node.run('purge-staging', '--force')).stdout).toContain('removed org/m');
});
