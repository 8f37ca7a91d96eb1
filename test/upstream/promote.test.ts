import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { countedDoor } from '../helpers/counted-door.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, rounds } from '../helpers/seeded.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const identityIn = (home: string): string => join(home, 'store', '.skulk', 'v1', 'store.json');
const readIdentity = async (home: string) =>
  JSON.parse(await readFile(identityIn(home), 'utf8')) as { id: string; epoch: number; promoted?: { instead_of: string } };

/** A main store behind a door, with two models, and the store of a site that has one of them. */
async function siteOf() {
  const world = await hubWorld();
  for (const id of ['org/m', 'org/rare']) {
    const source = join(world.home, id);
    await writeFiles(source, { 'config.json': JSON.stringify({ id }) });
    expect(await world.host('add', source, '--as', id)).toMatchObject({ status: 0 });
  }
  const main = await world.serveInProcess();
  const door = await countedDoor(main.url);
  const home = join(world.home, 'site');
  const siteEnv = { HF_ENDPOINT: world.hub.url, SKULK_UPSTREAM: door.url, SKULK_CONNECT_TIMEOUT: '30' };
  const serve = () => serveInProcess({ home, env: siteEnv });
  const run = (...args: readonly string[]) => runInProcess(args, { env: { SKULK_HOME: home, ...siteEnv } });
  const node = (url: string, ...args: readonly string[]) =>
    runInProcess(args, { env: { SKULK_HOME: join(world.home, 'node'), SKULK_STORE: url, HF_ENDPOINT: 'http://127.0.0.1:1' } });
  const promote = (...args: readonly string[]) => run('store', 'promote', '--json', ...args);
  return { world, main, door, home, serve, run, node, promote };
}

longTest(
  'a site store is promoted when the main store is away: it keeps its id, downloads by itself, and says whom it replaces',
  async () => {
    const { world, door, home, serve, node, run, promote } = await siteOf();
    {
      await using site = await serve();
      expect((await run('store')).stdout).toContain(`behind ${door.url}: `);
      expect(await node(site.url, 'stage', 'org/m')).toMatchObject({ status: 0 });
      const plan = JSON.parse((await promote('--dry-run')).stdout) as object;
      expect(plan).toMatchObject({
        instead_of: door.url,
        changed: true,
        dry_run: true,
        answers: true,
        missing: ['org/rare'],
        restart: true,
      });
      expect(await promote('--yes')).toMatchObject({ status: 5, stdout: '', stderr: expect.stringContaining('still answers') });
      expect(await readIdentity(home)).not.toHaveProperty('promoted');
      await door.shut();
      const { id, epoch } = await readIdentity(home);
      expect(await promote()).toMatchObject({ status: 2, stderr: expect.stringContaining('--yes') });
      const ended = await promote('--yes');
      expect(ended).toMatchObject({ status: 0 });
      expect(JSON.parse(ended.stdout)).toMatchObject({
        instead_of: door.url,
        changed: true,
        answers: false,
        missing: null,
        models: 1,
        lost: [],
      });
      expect(await readIdentity(home)).toMatchObject({ id, epoch: epoch + 1, promoted: { instead_of: door.url } });
    }
    world.hub.push('org/new', { files: { 'config.json': '{"new":1}' } });
    await using again = await serve();
    expect((await ask(again.url, '/health')).json()).toMatchObject({ upstream: null, replaces: door.url });
    expect((await run('store')).stdout).toContain(`canonical, promoted instead of ${door.url}`);
    expect(await node(again.url, 'stage', 'org/new')).toMatchObject({ status: 0 });
    expect(world.hub.sent('config.json')).toBeGreaterThan(0);
    expect(await node(again.url, 'stage', 'org/m')).toMatchObject({ status: 0 });
  },
);

longTest('a node that reads from a promoted second store prints which store to use from now on', async () => {
  const { world, door, home, serve, node, promote } = await siteOf();
  {
    await using site = await serve();
    expect(await node(site.url, 'stage', 'org/m')).toMatchObject({ status: 0 });
  }
  await door.shut();
  expect(await promote('--yes')).toMatchObject({ status: 0 });
  await using again = await serve();
  const env = { SKULK_HOME: join(world.home, 'n2'), SKULK_STORE: door.url, SKULK_SECOND_STORES: again.url, SKULK_CONNECT_TIMEOUT: '30' };
  const staged = await runInProcess(['stage', 'org/m'], { env });
  expect(staged).toMatchObject({ status: 0, stderr: expect.stringContaining(`${again.url} was promoted instead of ${door.url}`) });
  expect(staged.stderr).toContain('set store_host or SKULK_STORE to it');
  expect(await readIdentity(home)).toHaveProperty('promoted');
});

longTest('doctor on a promoted store warns if the replaced store answers again', async () => {
  const { main, door, serve, promote, run } = await siteOf();
  await (await serve())[Symbol.asyncDispose]();
  await door.shut();
  expect(await promote('--yes')).toMatchObject({ status: 0 });
  await using _ = await serve();
  const look = async () =>
    (JSON.parse((await run('doctor', '--json')).stdout) as { checks: { id: string }[] }).checks.find(({ id }) => id === 'promotion');
  expect(await look()).toMatchObject({ status: 'ok', found: expect.stringContaining(door.url) });
  await door.open(main.url);
  expect(await look()).toMatchObject({ status: 'warning', found: expect.stringContaining('two canonical stores') });
});

longTest('the store that the server of this machine serves is promoted, also if it is not the configured one', async () => {
  const { world, home, serve, run } = await siteOf();
  await (await serve())[Symbol.asyncDispose]();
  const elsewhere = join(world.home, 'elsewhere');
  await mkdir(elsewhere);
  await using _ = await serveInProcess({ home, env: {}, args: ['--store-path', elsewhere] });
  const ended = await run('store', 'promote', '--json', '--yes', '--instead-of', 'http://127.0.0.1:1');
  expect(ended).toMatchObject({ status: 0 });
  expect(JSON.parse(ended.stdout)).toMatchObject({ store_path: elsewhere });
  expect(await readIdentity(home)).not.toHaveProperty('promoted');
});

longTest('a promotion can be repeated without an effect, and taken back', async () => {
  const { door, home, serve, promote, run } = await siteOf();
  await (await serve())[Symbol.asyncDispose]();
  await door.shut();
  expect(await promote('--yes')).toMatchObject({ status: 0 });
  const once = await readFile(identityIn(home), 'utf8');
  expect(JSON.parse((await promote('--yes')).stdout)).toMatchObject({ changed: false, instead_of: door.url });
  expect(await promote('--yes', '--instead-of', 'http://127.0.0.1:2')).toMatchObject({ status: 5 });
  expect(await readFile(identityIn(home), 'utf8')).toBe(once);
  expect(JSON.parse((await promote('--undo', '--yes')).stdout)).toMatchObject({ changed: true, instead_of: null });
  expect(await readIdentity(home)).not.toHaveProperty('promoted');
  expect(JSON.parse((await promote('--undo', '--yes')).stdout)).toMatchObject({ changed: false });
  await using site = await serve();
  expect((await ask(site.url, '/health')).json()).toMatchObject({ upstream: door.url, replaces: null });
  expect(await run('store', 'promote', '--undo', '--force')).toMatchObject({ status: 2 });
});

describe('a promotion is refused', () => {
  test('on a machine that is a node, and on one without a store', async () => {
    const { main, node, promote, world } = await siteOf();
    expect(await node(main.url, 'store', 'promote', '--yes')).toMatchObject({ status: 4, stderr: expect.stringContaining('is a node of') });
    expect(await promote('--yes')).toMatchObject({ status: 4, stderr: expect.stringContaining('has no store') });
    expect(await readdir(world.home)).not.toContain('site/store');
  });

  test('without the URL of the store to replace, and with the URL of the store itself', async () => {
    const { world, main } = await siteOf();
    expect(await world.host('store', 'promote', '--yes')).toMatchObject({ status: 2, stderr: expect.stringContaining('--instead-of') });
    const itself = await world.host('store', 'promote', '--yes', '--force', '--instead-of', main.url);
    expect(itself).toMatchObject({ status: 2, stderr: expect.stringContaining('is this store itself') });
    expect(await world.host('store', 'promote', '--yes', '--instead-of', 'ftp://x')).toMatchObject({ status: 2 });
    expect(await readIdentity(join(world.home, 'host'))).toMatchObject({ epoch: 1 });
  });

  test('for a store with a damaged identity', async () => {
    const { home, serve, promote } = await siteOf();
    await (await serve())[Symbol.asyncDispose]();
    await writeFile(identityIn(home), '{');
    expect(await promote('--yes')).toMatchObject({ status: 5, stderr: expect.stringContaining('damaged') });
  });

  test('by a full disk, which leaves the store as it was', wants('a disk of their own'), async () => {
    const home = await temporaryDirectory();
    const disk = await smallDisk(4 * 1024 * 1024);
    const env = { SKULK_HOME: home };
    const source = join(home, 'source');
    await writeFiles(source, { 'config.json': '{}' });
    const config = join(home, 'skulk.json');
    await writeFile(config, JSON.stringify({ model_store: { store_path: disk.path } }));
    expect(await runInProcess(['add', source, '--as', 'org/m', '--config', config], { env })).toMatchObject({ status: 0 });
    await disk.leave(0);
    const path = join(disk.path, '.skulk', 'v1', 'store.json');
    const before = await readFile(path, 'utf8');
    const run = () => runInProcess(['store', 'promote', '--yes', '--config', config, '--instead-of', 'http://127.0.0.1:1'], { env });
    expect(await run()).toMatchObject({ status: 7, stdout: '' });
    expect(await readFile(path, 'utf8')).toBe(before);
    await disk.leave('all');
    expect(await run()).toMatchObject({ status: 0 });
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ epoch: 2 });
  });
});

longTest('a promotion that is killed at any write leaves the old identity or the new one, and can be repeated', async () => {
  const { door, home, serve } = await siteOf();
  await (await serve())[Symbol.asyncDispose]();
  await door.shut();
  const counted = join(home, 'writes');
  const killer = pathToFileURL(join(import.meta.dirname, '../helpers/kill-at-write.mjs')).href;
  const run = (killAt: number) =>
    runSkulk(['store', 'promote', '--yes', '--instead-of', door.url], {
      env: { SKULK_HOME: home, NODE_OPTIONS: `--import=${killer}`, SKULK_TEST_KILL_AT: String(killAt), SKULK_TEST_WRITES: counted },
    });
  const old = await readFile(identityIn(home), 'utf8');
  expect(await run(0)).toMatchObject({ status: 0 });
  const writes = Number(await readFile(counted, 'utf8'));
  expect(writes).toBeGreaterThan(2);
  const points = Array.from({ length: writes }, (_, index) => writes - index);
  // The last writes are those of the identity and of the end of the lock.
  for (const point of points.slice(0, rounds({ few: 4, many: writes }))) {
    await writeFile(identityIn(home), old);
    const { signal, status } = await run(point);
    expect(signal === 'SIGKILL' || status === 0, String(point)).toBe(true);
    expect([1, 2], String(point)).toContain((await readIdentity(home)).epoch);
    const again = await runInProcess(['store', 'promote', '--yes', '--instead-of', door.url], { env: { SKULK_HOME: home } });
    expect(again, String(point)).toMatchObject({ status: 0 });
    expect(await readIdentity(home)).toMatchObject({ epoch: 2, promoted: { instead_of: door.url } });
    expect(
      (await readdir(join(home, 'store', '.skulk', 'v1'))).filter((name) => name.endsWith('.tmp') && name.startsWith('.store')),
    ).toEqual([]);
  }
});
