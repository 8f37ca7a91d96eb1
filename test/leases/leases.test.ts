import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { serveModels, serveThroughProxy } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { leaseNode } from './lease-node.ts';

const models = { 'org/m': { a: 'first' }, 'org/n': { b: 'second one' }, 'org/eyes': { v: 'sees' }, 'org/small': { s: 'fast' } };

/** A process that does nothing; it ends with the test. */
async function idleProcess(): Promise<ChildProcess & { readonly pid: number; end(): Promise<void> }> {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  onTestFinished(end);
  return Object.assign(child, { pid: child.pid ?? 0, end });
}

describe('a lease on a staged copy', () => {
  usualTest('keeps the copy until its process ends or releases it', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    const [first, second] = [await idleProcess(), await idleProcess()];
    await node.run('stage', 'org/m');
    const pids = [first.pid, second.pid].map(String) as [string, string];
    expect(await node.json('activate', 'org/m', '--pid', pids[0])).toMatchObject({
      path: join(node.root, 'org--m'),
      pid: first.pid,
      lease_id: expect.any(String),
    });
    await node.json('activate', 'org/m', '--pid', pids[1]);
    // The same process twice is one lease.
    await node.json('activate', 'org/m', '--pid', pids[1]);
    expect(Object.keys(await node.leases())).toHaveLength(2);
    expect(await node.json('deactivate', 'org/m', '--pid', pids[0])).toMatchObject({
      released: [{ model_id: 'org/m' }],
      evicted: [],
    });
    expect(await node.staged()).toEqual({ 'org/m': true });
    await second.end();
    expect(await node.staged()).toEqual({ 'org/m': false });
    expect(await node.json('reconcile', '--dry-run')).toMatchObject({
      dropped_leases: [{ model_id: 'org/m' }],
      evicted: [{ model_id: 'org/m' }],
    });
    expect(await node.staged()).toEqual({ 'org/m': false });
    expect(await node.json('reconcile')).toMatchObject({
      dropped_leases: [{ model_id: 'org/m' }],
      evicted: [{ model_id: 'org/m' }],
    });
    expect([await node.staged(), await node.leases()]).toEqual([{}, {}]);
  });

  usualTest('does not apply to a later process with the same pid', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url, { budgetGb: 1 });
    const process = await idleProcess();
    await node.run('stage', 'org/m');
    await node.json('activate', 'org/m', '--pid', String(process.pid));
    const [[name, lease] = ['', {}]] = Object.entries(await node.leases());
    const [holder] = lease['holders'] as { startTime: string }[];
    await node.forge(name, { ...lease, holders: [{ ...holder, startTime: `${holder?.startTime}0` }] });
    expect(await node.staged()).toEqual({ 'org/m': false });
    await node.forge(name, { ...lease, holders: [holder] });
    expect(await node.staged()).toEqual({ 'org/m': true });
  });

  usualTest('of a process on another machine counts, because its state is unknown', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    await node.run('stage', 'org/m', '--keep', '1h');
    const [[name, lease] = ['', {}]] = Object.entries(await node.leases());
    await node.forge(name, { ...lease, expires_at: null, holders: [{ pid: 1, startTime: 'x', hostname: 'another' }] });
    expect(await node.staged()).toEqual({ 'org/m': true });
  });

  usualTest.each([
    ['', 'not JSON'],
    ['[]', 'a list'],
    ['{"lease_id":"../../x","model_id":"org/m"}', 'an id that leaves the directory'],
    ['null', 'nothing'],
  ])('with the content %j is ignored without an error', async (text) => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url, { budgetGb: 1 });
    await node.run('stage', 'org/m', '--keep', '1h');
    const [name = ''] = Object.keys(await node.leases());
    await writeFile(join(node.root, '.skulk', 'v1', 'leases', name), text);
    expect(await node.staged()).toEqual({ 'org/m': false });
  });

  usualTest('is cleaned up by a quiet reconcile without a store too, whose warning says what to do', async () => {
    const node = await leaseNode('http://127.0.0.1:1');
    expect(await node.run('reconcile', '--quiet')).toMatchObject({
      status: 0,
      stdout: '',
      stderr: expect.stringMatching(
        /^skulk: warning: cannot ask the store for orders: .*\nhint: .*; the orders wait for the next `skulk reconcile`\n$/,
      ),
    });
  });

  usualTest('with a time limit ends with it', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    await node.run('stage', 'org/m', 'org/n', '--keep', '90m');
    await node.run('reconcile');
    expect(await node.staged()).toEqual({ 'org/m': true, 'org/n': true });
    for (const [name, lease] of Object.entries(await node.leases())) {
      const left = Date.parse(String(lease['expires_at'])) - Date.now();
      expect(left).toBeGreaterThan(88 * 60_000);
      expect(left).toBeLessThanOrEqual(90 * 60_000);
      if (lease['model_id'] === 'org/n') await node.forge(name, { ...lease, expires_at: new Date(Date.now() - 1).toISOString() });
    }
    // For the crontab, the end of a lease is routine.
    expect((await node.run('reconcile', '--dry-run')).stdout).toMatch(/^would remove a lease on org\/n .*\nwould evict org\/n /);
    expect((await node.run('reconcile', '--dry-run', '--quiet')).stdout).toMatch(/^would evict org\/n .*\nwould free .*\n$/);
    expect(await node.json('reconcile')).toMatchObject({ evicted: [{ model_id: 'org/n' }] });
    expect(await node.json('deactivate', 'org/m')).toMatchObject({
      released: [{ model_id: 'org/m' }],
      evicted: [{ model_id: 'org/m' }],
    });
    expect(await node.staged()).toEqual({});
  });

  usualTest('is refused for a missing copy, without a process, and without a time', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    const process = await idleProcess();
    expect(await node.run('activate', 'org/m', '--pid', String(process.pid))).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('skulk stage org/m'),
    });
    await node.run('stage', 'org/m');
    await process.end();
    expect(await node.run('activate', 'org/m', '--pid', String(process.pid))).toMatchObject({
      status: 3,
      stderr: expect.stringContaining(`pid ${process.pid}`),
    });
    for (const args of [
      ['activate', 'org/m'],
      ['activate', 'org/m', '--pid', '0'],
      ['activate', 'org/m', '--pid', 'x'],
      ['stage', 'org/m', '--keep', 'soon'],
      ['stage', 'org/m', '--keep', '0m'],
    ])
      expect(await node.run(...args), args.join(' ')).toMatchObject({ status: 2 });
    expect(await node.run('deactivate', 'org/n')).toMatchObject({ status: 0, stdout: expect.stringContaining('was not active') });
    expect(await node.run('deactivate', 'org/n', '-q')).toMatchObject({ status: 0, stdout: '' });
    expect(await node.leases()).toEqual({});
  });

  usualTest('prevents the replacement of the copy by a newer one', async () => {
    const { proxy, replace } = await serveThroughProxy({ 'org/m': { a: 'old' } });
    const node = await leaseNode(proxy.url, { budgetGb: 1 });
    await node.run('stage', 'org/m', '--keep', '1h');
    await replace({ 'org/m': { a: 'new' } });
    const refused = await node.run('stage', 'org/m');
    expect(refused).toMatchObject({ status: 5, stdout: '', stderr: expect.stringMatching(/in use by skulk stage --keep, until/) });
    expect(await readFile(join(node.root, 'org--m', 'a'), 'utf8')).toBe('old');
    expect(await node.run('stage', 'org/m', '--offline')).toMatchObject({ status: 0 });
    await node.run('deactivate', 'org/m');
    // A lease of this process does not block it.
    expect(await node.run('run', 'org/m', '--', 'cat', '{path}/a')).toMatchObject({ status: 0, stdout: 'new' });
  });
});

describe('the budget of idle copies', () => {
  usualTest('keeps the newest copies that fit, and other files', async () => {
    const { url } = await serveModels({
      'org/a': { f: 'x'.repeat(600) },
      'org/b': { f: 'y'.repeat(500) },
      'org/c': { f: 'z'.repeat(300) },
    });
    const node = await leaseNode(url, { budgetGb: 1000 / 2 ** 30 });
    await node.run('stage', 'org/a', 'org/b', 'org/c');
    for (const [index, name] of ['c', 'b', 'a'].entries())
      await utimes(join(node.root, `org--${name}`, '.last_used'), 1000 + index, 1000 + index);
    await mkdir(join(node.root, 'precious'));
    await mkdir(join(node.root, 'org--foreign'));
    await writeFile(join(node.root, 'org--foreign', 'f'), 'mine');
    await mkdir(join(node.root, 'py--thon'));
    await writeFile(join(node.root, 'py--thon', 'f'), 'w'.repeat(5000));
    await writeFile(join(node.root, 'py--thon', '.last_used'), '');
    const report = await node.json('reconcile');
    expect(report).toMatchObject({ kept: [{ model_id: 'org/a' }, { model_id: 'org/c' }], evicted_bytes: 5500 });
    expect((await readdir(node.root)).sort()).toEqual(['.skulk', 'org--a', 'org--c', 'org--foreign', 'precious']);
    expect(await node.json('staging')).toMatchObject({ foreign: expect.arrayContaining(['precious', 'org--foreign']) });
  });

  usualTest('evicts nothing if the configuration disables it', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url, { cleanup: false });
    await node.run('stage', 'org/m');
    expect(await node.json('reconcile')).toMatchObject({
      evicted: [],
      skipped: expect.stringContaining('cleanup_on_deactivate'),
    });
    await node.run('run', 'org/m', '--', 'true');
    expect(await node.json('deactivate', 'org/m')).toMatchObject({ evicted: [] });
    expect(await node.staged()).toEqual({ 'org/m': false });
  });

  longTest('is applied when a server starts', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url);
    await node.run('stage', 'org/m');
    await node.run('stage', 'org/n', '--keep', '1h');
    const serving = node.start('serve', '--role', 'node', '--host', '127.0.0.1', '--api-port', '0');
    while (Object.keys(await node.staged()).length === 2);
    expect(await node.staged()).toEqual({ 'org/n': true });
    serving.child.kill('SIGTERM');
    expect((await serving.exited).status).toBe(0);
  });

  usualTest('never evicts from a store, regardless of the name of its path', async () => {
    const place = await temporaryDirectory();
    const store = join(place, 'Store');
    await mkdir(join(store, 'org--m'), { recursive: true });
    await writeFile(join(store, 'org--m', 'a'), 'canonical');
    await writeFile(join(store, 'registry.json'), '{}');
    await symlink(store, join(place, 'link'));
    for (const spelling of [store, join(place, 'link'), `${place}/x/../Store/`, join(place, 'link', '.')]) {
      const node = await leaseNode('http://127.0.0.1:1', { more: `    node_cache_path: ${spelling}\n  store_path: ${store}\n` });
      await writeFile(join(store, 'org--m', '.last_used'), '');
      expect(await node.json('reconcile')).toMatchObject({ evicted: [], skipped: expect.stringContaining('store itself') });
      await node.run('deactivate', 'org/m');
      expect(await readFile(join(store, 'org--m', 'a'), 'utf8')).toBe('canonical');
    }
  });

  usualTest('removes remains of old transfers and removals, but not recent ones', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url, { budgetGb: 1 });
    await node.run('stage', 'org/m');
    const own = join(node.root, '.skulk', 'v1');
    const old = new Date(Date.now() - 8 * 86_400_000);
    for (const name of ['org--old', 'org--young']) await mkdir(join(own, 'incoming', name, 'files'), { recursive: true });
    await writeFile(join(own, 'incoming', 'org--young', 'names.json'), '["a"]');
    await writeFile(join(own, 'incoming', 'org--young', 'files', 'a'), 'x');
    await utimes(join(own, 'incoming', 'org--old', 'files'), old, old);
    await utimes(join(own, 'incoming', 'org--old'), old, old);
    await mkdir(join(own, 'trash', 'org--gone.abc', 'x'), { recursive: true });
    const plan = await node.json('reconcile', '--dry-run');
    expect(plan).toMatchObject({ stale_partials: ['org/old'], trash_entries: 1, dry_run: true });
    expect(await readdir(join(own, 'incoming'))).toHaveLength(2);
    expect(await node.json('reconcile')).toMatchObject({ stale_partials: ['org/old'], trash_entries: 1 });
    expect([await readdir(join(own, 'incoming')), await readdir(join(own, 'trash'))]).toEqual([['org--young'], []]);
  });
});

/** A mounted directory inside a copy cannot be removed by any user. */
function mountInside(path: string): boolean {
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]).status !== 0) return false;
  onTestFinished(() => {
    spawnSync('sh', [
      '-c',
      `umount "${path}" 2>/dev/null || grep " ${path.split('/staging/')[0]}" /proc/mounts | cut -d' ' -f2 | xargs -r -n1 umount`,
    ]);
  });
  return true;
}

longTest('a removal that fails partially is reported, other copies are still evicted, and no broken copy is left', async ({ skip }) => {
  const { url } = await serveModels(models);
  const node = await leaseNode(url);
  await node.run('stage', 'org/m');
  await node.run('stage', 'org/n');
  const inside = join(node.root, 'org--m', 'stuck');
  await mkdir(inside);
  if (!mountInside(inside)) skip('nothing can be mounted here');
  const { status, stderr } = await node.run('reconcile', '--json');
  expect(status).toBe(9);
  expect(stderr).toMatch(/cannot remove org\/m/);
  expect(await node.staged()).toEqual({});
  expect(await readdir(node.root)).toEqual(['.skulk']);
});

describe('disabled staging', () => {
  usualTest('is reported by stage, run and activate on a node, with a hint', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url, { more: '    enabled: false\n' });
    const process = await idleProcess();
    for (const args of [
      ['stage', 'org/m'],
      ['stage', 'org/m', '--keep', '1h'],
      ['run', 'org/m', '--', 'true'],
    ])
      expect(await node.run(...args), args.join(' ')).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(/staging is disabled.*skulk.yaml/s),
      });
    expect((await node.run('activate', 'org/m', '--pid', String(process.pid))).status).toBe(3);
  });

  longTest('gives the canonical directory on the store host, which is never evicted', async () => {
    const home = await temporaryDirectory();
    const model = join(home, 'm');
    await mkdir(model);
    await writeFile(join(model, 'm.gguf'), 'weights');
    const config = join(home, 'skulk.yaml');
    await writeFile(config, 'model_store:\n  staging:\n    enabled: false\n    staging_keep_recent_gb: 0\n');
    const env = { SKULK_HOME: home, SKULK_CONFIG: config };
    expect((await runInProcess(['add', model, '--as', 'org/m'], { env })).status).toBe(0);
    const path = join(home, 'store', 'org--m');
    expect(await runInProcess(['stage', 'org/m', '--keep', '1h'], { env })).toMatchObject({ status: 0, stdout: `${path}\n` });
    expect(await runSkulk(['run', 'org/m', '--', 'cat', '{gguf}'], { env })).toMatchObject({ status: 0, stdout: 'weights' });
    expect((await runInProcess(['reconcile'], { env })).status).toBe(0);
    expect(await readFile(join(path, 'm.gguf'), 'utf8')).toBe('weights');
  });
});

longTest('the budget of this machine is the one that node_overrides sets for it', async () => {
  const { url } = await serveModels(models);
  const mine = await leaseNode(url, {
    budgetGb: 1,
    more: `  node_overrides:\n    ${hostname()}:\n      staging:\n        staging_keep_recent_gb: 0\n`,
  });
  const others = await leaseNode(url, {
    budgetGb: 1,
    more: '  node_overrides:\n    another:\n      staging:\n        staging_keep_recent_gb: 0\n',
  });
  for (const node of [mine, others]) await node.run('run', 'org/m', '--', 'true');
  expect([await mine.staged(), await others.staged()]).toEqual([{}, { 'org/m': false }]);
});

describe('the companions of a model', () => {
  const eyes = { role: 'vision' as const, modelId: parseModelId('org/eyes') };
  const small = { role: 'assistant' as const, modelId: parseModelId('org/small') };

  usualTest('are staged if the store lists them, and are in use with the model', async () => {
    const { url, store } = await serveModels(models);
    store.companions.set('org/m', [eyes, small]);
    const node = await leaseNode(url);
    const { staged } = await node.json<{ staged: unknown[] }>('stage', 'org/m', '--keep', '1h');
    expect(staged).toMatchObject([
      { model_id: 'org/m', companions: [{ model_id: 'org/eyes', path: join(node.root, 'org--eyes') }, { model_id: 'org/small' }] },
    ]);
    await node.run('reconcile');
    expect(await node.staged()).toEqual({ 'org/m': true, 'org/eyes': true, 'org/small': true });
    const ended = await node.run('run', 'org/m', '--', 'sh', '-c', `ls ${node.root}`);
    expect(ended.stdout).toBe('org--eyes\norg--m\norg--small\n');
    await node.json('deactivate', 'org/m');
    expect(await node.staged()).toEqual({});
  });

  longTest('count as used when the model is released', async () => {
    const { url, store } = await serveModels(models);
    store.companions.set('org/m', [eyes]);
    const node = await leaseNode(url, { budgetGb: 1 });
    await node.run('stage', 'org/m', '--keep', '1h');
    const touched = async () => {
      const { models } = await node.json<{ models: { model_id: string; last_used: string }[] }>('staging');
      return models
        .filter(({ last_used }) => Date.parse(last_used) > 5000)
        .map(({ model_id }) => model_id)
        .sort();
    };
    const age = async (): Promise<void> => {
      for (const name of ['m', 'eyes']) await utimes(join(node.root, `org--${name}`, '.last_used'), 1, 1);
    };
    await age();
    expect(await touched()).toEqual([]);
    await node.run('deactivate', 'org/m');
    expect(await touched()).toEqual(['org/eyes', 'org/m']);
    await age();
    await node.run('run', 'org/m', '--offline', '--', 'sh', '-c', `touch -d @1 ${node.root}/org--*/.last_used`);
    expect(await touched()).toEqual(['org/eyes', 'org/m']);
  });

  usualTest('are staged even if the date of the last use is not writable', async () => {
    const { url } = await serveModels(models);
    const node = await leaseNode(url, { budgetGb: 1 });
    await node.run('stage', 'org/m');
    await rm(join(node.root, 'org--m', '.last_used'));
    await symlink('/nowhere/at/all', join(node.root, 'org--m', '.last_used'));
    expect(await node.run('stage', 'org/m')).toMatchObject({ status: 0, stdout: `${join(node.root, 'org--m')}\n` });
  });

  usualTest('are known for an existing copy if the store cannot be reached', async () => {
    const { url, store, stop } = await serveModels(models);
    store.companions.set('org/m', [eyes]);
    const node = await leaseNode(url);
    const process = await idleProcess();
    await node.run('stage', 'org/m');
    await stop();
    expect(await node.json('activate', 'org/m', '--pid', String(process.pid))).toMatchObject({ companions: ['org/eyes'] });
    expect(await node.staged()).toEqual({ 'org/m': true, 'org/eyes': true });
    expect(await node.run('stage', 'org/m')).toMatchObject({ status: 0, stdout: `${join(node.root, 'org--m')}\n` });
  });

  usualTest('that a card lists only after the copy was staged are staged next time', async () => {
    const { url, store } = await serveModels(models);
    const node = await leaseNode(url, { budgetGb: 1 });
    await node.run('stage', 'org/m');
    store.companions.set('org/m', [eyes]);
    await node.run('stage', 'org/m');
    expect(Object.keys(await node.staged()).sort()).toEqual(['org/eyes', 'org/m']);
  });

  usualTest('fail the stage if they are missing and required, and cause a warning otherwise', async () => {
    const { url, store } = await serveModels(models);
    const node = await leaseNode(url);
    store.companions.set('org/m', [{ ...eyes, modelId: parseModelId('org/nowhere') }]);
    expect(await node.run('stage', 'org/m')).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringMatching(/org\/nowhere, the vision companion of org\/m, is needed/),
    });
    expect(await node.run('run', 'org/m', '--', 'touch', join(node.home, 'began'))).toMatchObject({ status: 3 });
    expect(await readdir(node.home)).not.toContain('began');
    store.companions.set('org/m', [{ ...small, modelId: parseModelId('org/nowhere') }]);
    expect(await node.run('stage', 'org/m')).toMatchObject({
      status: 0,
      stdout: `${join(node.root, 'org--m')}\n`,
      stderr: expect.stringContaining('was not staged'),
    });
    expect(await node.leases()).toEqual({});
  });

  longTest('can be listed in a card on this machine, which overrides the store', async () => {
    const { url, store } = await serveModels(models);
    store.companions.set('org/m', [small]);
    const cards = await temporaryDirectory();
    const node = await leaseNode(url, { more: `  cards_path: ${cards}\n`, budgetGb: 1 });
    await writeFile(join(cards, 'org--m.toml'), 'model_id = "org/m"\n[vision]\nweights_repo = "org/eyes"\n');
    await node.run('stage', 'org/m');
    expect(Object.keys(await node.staged()).sort()).toEqual(['org/eyes', 'org/m']);
    await writeFile(join(cards, 'org--m.toml'), 'model_id = "org/m"\n[vision\n');
    expect(await node.run('stage', 'org/m')).toMatchObject({ status: 0, stderr: expect.stringMatching(/org--m.toml:2: .*ignored/) });
    expect(Object.keys(await node.staged()).sort()).toEqual(['org/eyes', 'org/m', 'org/small']);
  });
});
