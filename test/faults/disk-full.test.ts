import { access, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { digestsBelow, digestsOfFiles, noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { isLong, longTest, rounds } from '../helpers/seeded.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { type Ended, startSkulk } from '../helpers/spawn-skulk.ts';
import { serveThroughProxy } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const mebibyte = 2 ** 20;
const page = 4096;
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe('a full disk', wants('a disk of their own'), () => {
  const files = { 'model.bin': noise(2 * chunkSize + 5_000, 3), 'config.json': '{}' };

  test('refuses a stage before a byte is sent', async () => {
    const disk = await smallDisk(8 * mebibyte);
    const { proxy } = await serveThroughProxy({ 'org/m': files });
    const node = join(disk.path, 'home');
    const env = { SKULK_HOME: node, SKULK_STORE: proxy.url };
    const ended = await runInProcess(['stage', 'org/m'], { env });
    expect(ended).toMatchObject({ status: 7, stdout: '', stderr: expect.stringMatching(/needs 32\.\d MiB.*are free/) });
    expect(proxy.bytes()).toBeLessThan(20_000);
    expect(await exists(join(node, 'staging', 'org--m'))).toBe(false);
    expect((await runInProcess(['staging'], { env })).stdout).not.toContain('unfinished');
  });

  longTest('that fills during a stage ends it with 7, and the next run sends the rest when there is space', async () => {
    const disk = await smallDisk(48 * mebibyte);
    const { proxy } = await serveThroughProxy({ 'org/m': files });
    const env = { SKULK_HOME: join(disk.path, 'home'), SKULK_STORE: proxy.url };
    proxy.setRate(40e6);
    const stage = startSkulk(['stage', 'org/m', '--connections', '1'], { env });
    await Promise.race([proxy.passed(chunkSize + 3 * mebibyte), stage.exited]);
    await disk.leave(0);
    expect(await stage.exited).toMatchObject({ status: 7, stdout: '', stderr: expect.stringContaining('hint: free some space') });
    const copy = join(disk.path, 'home', 'staging', 'org--m');
    expect(await exists(copy)).toBe(false);
    await disk.leave('all');
    proxy.setRate(0);
    const before = proxy.bytes();
    expect(await runInProcess(['stage', 'org/m'], { env })).toMatchObject({ status: 0, stdout: `${copy}\n` });
    expect(proxy.bytes() - before).toBeLessThan(chunkSize + 2 * mebibyte);
    expect(await digestsBelow(copy)).toEqual(digestsOfFiles(files));
  });

  longTest('at the very end of a stage leaves the old copy or no copy, never a partial one', async () => {
    const disk = await smallDisk(8 * mebibyte);
    const [before, after] = [{ a: noise(mebibyte, 1) }, { a: noise(mebibyte, 2), b: 'b' }];
    const { proxy, replace } = await serveThroughProxy({ 'org/m': before });
    const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: proxy.url };
    const root = join(disk.path, 'staging');
    const config = join(env.SKULK_HOME, 'skulk.yaml');
    await writeFiles(env.SKULK_HOME, { 'skulk.yaml': `model_store:\n  staging:\n    node_cache_path: ${root}\n` });
    const stage = (...more: string[]) => runInProcess(['stage', 'org/m', '--config', config, ...more], { env });
    const wanted = [digestsOfFiles(before), digestsOfFiles(after)];
    const ends: number[] = [];
    for (let pages = 0; pages <= 14; pages += rounds({ few: 7, many: 1 })) {
      await replace({ 'org/m': before });
      expect((await stage()).status).toBe(0);
      await replace({ 'org/m': after });
      await disk.leave(mebibyte + pages * page);
      const { status, stderr } = await stage();
      ends.push(status ?? -1);
      expect([0, 7], stderr).toContain(status);
      if (status === 7) expect(stderr).toMatch(/hint: free some space/);
      expect(wanted).toContainEqual(await digestsBelow(join(root, 'org--m')));
      await disk.leave('all');
      expect((await stage()).status).toBe(0);
      expect(await digestsBelow(join(root, 'org--m'))).toEqual(wanted[1]);
    }
    expect(new Set(ends)).toEqual(new Set([7, 0]));
  });

  test('leaves a staged copy usable, and can be purged', async () => {
    const disk = await smallDisk(8 * mebibyte);
    const { proxy } = await serveThroughProxy({ 'org/m': { a: noise(mebibyte, 1) } });
    const env = { SKULK_HOME: join(disk.path, 'home'), SKULK_STORE: proxy.url };
    expect((await runInProcess(['stage', 'org/m'], { env })).status).toBe(0);
    await disk.leave(0);
    expect((await runInProcess(['stage', 'org/m'], { env })).status).toBe(0);
    expect(await runInProcess(['run', 'org/m', '--', 'true'], { env })).toMatchObject({
      status: 7,
      stderr: expect.stringContaining('lease'),
    });
    expect((await runInProcess(['purge-staging'], { env })).status).toBe(0);
    expect(disk.free()).toBeGreaterThan(mebibyte);
  });

  longTest('during an add leaves the store unchanged or with the whole model', async () => {
    const disk = await smallDisk(10 * mebibyte);
    const home = await temporaryDirectory();
    const [first, second] = [join(home, 'first'), join(home, 'second')];
    await writeFiles(first, { a: noise(mebibyte, 1) });
    await writeFiles(second, { b: noise(mebibyte, 2), 'sub/c': 'c' });
    const env = { SKULK_HOME: home };
    const root = join(disk.path, 'store');
    await mkdir(root);
    const config = join(home, 'skulk.yaml');
    await writeFiles(home, { 'skulk.yaml': `model_store:\n  store_path: ${root}\n` });
    const skulk = (...args: string[]) => runInProcess([...args, '--config', config], { env });
    expect((await skulk('add', first, '--as', 'org/first')).status).toBe(0);
    const ends: number[] = [];
    // The reserve of this disk is 25 pages.
    for (let pages = -1; pages <= 44; pages += rounds({ few: 9, many: 1 })) {
      await disk.leave(mebibyte + pages * page);
      const { status, stderr } = await skulk('add', second, '--as', 'org/second');
      ends.push(status ?? -1);
      expect([0, 7], stderr).toContain(status);
      const { entries } = JSON.parse((await skulk('registry', '--json')).stdout) as { entries: { model_id: string }[] };
      expect(entries.map(({ model_id }) => model_id).sort()).toEqual(status === 0 ? ['org/first', 'org/second'] : ['org/first']);
      JSON.parse(await readFile(join(root, 'registry.json'), 'utf8'));
      await disk.leave('all');
      expect(JSON.parse((await skulk('verify', '--json')).stdout)).toMatchObject({ ok: true });
      expect((await skulk('add', second, '--as', 'org/second')).status).toBe(0);
      expect((await skulk('delete', 'org/second', '--yes')).status).toBe(0);
      expect((await readdir(root)).sort()).toEqual(['.skulk', 'org--first', 'registry.json']);
    }
    expect(new Set(ends)).toEqual(new Set([7, 0]));
  });

  longTest.each(isLong ? [false, true] : [false])('lets a model be deleted, because that frees space (a server: %s)', async (isServed) => {
    const disk = await smallDisk(10 * mebibyte);
    const home = await temporaryDirectory();
    const root = join(disk.path, 'store');
    await mkdir(root);
    const env = { SKULK_HOME: home, SKULK_CONFIG: join(home, 'skulk.yaml') };
    await writeFiles(home, { 'skulk.yaml': `model_store:\n  store_path: ${root}\n`, 'm/a': noise(mebibyte, 1) });
    const skulk = (...args: string[]) => runInProcess(args, { env });
    const add = (): Promise<Ended> => skulk('add', join(home, 'm'), '--as', 'org/m');
    await using server = isServed ? await serveInProcess({ home, env }) : undefined;
    const node = { SKULK_HOME: join(home, 'node'), SKULK_NODE_ID: 'node', SKULK_STORE: server?.url ?? '' };
    for (const pages of isLong ? [0, 1, 2, 3, 4, 6, 8] : [0, 3]) {
      expect(await add()).toMatchObject({ status: 0 });
      if (isServed) expect((await runInProcess(['stage', 'org/m'], { env: node })).status).toBe(0);
      await disk.leave(pages * page);
      const { status, stderr } = await skulk('delete', 'org/m', '--yes');
      // A command needs some space for its lock; a server already has its lock, but the node is not there to answer.
      expect(isServed ? [9] : pages < 2 ? [0, 7] : [0], `${pages} pages: ${stderr}`).toContain(status);
      if (status === 7) {
        await disk.leave('all');
        expect((await skulk('delete', 'org/m', '--yes')).status).toBe(0);
      }
      expect(disk.free()).toBeGreaterThan(mebibyte / 2);
      await disk.leave('all');
      expect(JSON.parse((await skulk('registry', '--json')).stdout)).toMatchObject({ entries: [] });
      expect(await exists(join(root, 'org--m'))).toBe(false);
      if (!isServed) continue;
      // Records that could not be written before were written afterwards.
      expect(await runInProcess(['reconcile', '--json'], { env: node })).toMatchObject({ status: 0 });
      expect(await exists(join(home, 'node', 'staging', 'org--m'))).toBe(false);
    }
  });

  longTest('is reported to a client that sends a model', async () => {
    const disk = await smallDisk(10 * mebibyte);
    const home = await temporaryDirectory();
    const root = join(disk.path, 'store');
    await mkdir(root);
    const env = { SKULK_HOME: home, SKULK_CONFIG: join(home, 'skulk.yaml') };
    await writeFiles(home, { 'skulk.yaml': `model_store:\n  store_path: ${root}\n`, 'm/a': noise(mebibyte, 1) });
    await using server = await serveInProcess({ home, env });
    const node = { SKULK_HOME: join(home, 'node'), SKULK_STORE: server.url };
    await disk.leave(0);
    const ended = await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env: node });
    expect(ended).toMatchObject({ status: 7, stdout: '', stderr: expect.stringMatching(/no space left|needs 1\.00 MiB/) });
    expect(server.stderr()).not.toMatch(/unexpected error/);
  });
});

describe('a disk that is not writable', wants('a disk of their own'), () => {
  test('can be read as a store, and refuses every change with a clear message', async () => {
    const disk = await smallDisk(16 * mebibyte);
    const home = await temporaryDirectory();
    const root = join(disk.path, 'store');
    await mkdir(root);
    await writeFiles(join(home, 'm'), { a: noise(mebibyte, 1) });
    await writeFiles(home, { 'skulk.yaml': `model_store:\n  store_path: ${root}\n` });
    const env = { SKULK_HOME: home, SKULK_CONFIG: join(home, 'skulk.yaml') };
    expect((await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env })).status).toBe(0);
    disk.setReadOnly(true);
    for (const args of [['registry'], ['show', 'org/m'], ['verify'], ['health'], ['stage', 'org/m']])
      expect(await runInProcess(args, { env }), args.join(' ')).toMatchObject({ status: 0 });
    for (const args of [
      ['add', join(home, 'm'), '--as', 'org/n'],
      ['delete', 'org/m', '--yes'],
      ['serve', '--port', '0', '--api-port', '0'],
    ]) {
      const { status, stdout, stderr } = await runInProcess(args, { env });
      expect([status, stdout], `${args.join(' ')}: ${stderr}`).toEqual([2, '']);
      expect(stderr).toMatch(/read-only/);
    }
    disk.setReadOnly(false);
    expect((await runInProcess(['verify'], { env })).status).toBe(0);
  });

  test('keeps whole copies usable as a staging directory, and refuses a new one with a clear message', async () => {
    const disk = await smallDisk(16 * mebibyte);
    const { proxy } = await serveThroughProxy({ 'org/m': { a: 'a' }, 'org/n': { b: 'b' } });
    const env = { SKULK_HOME: join(disk.path, 'home'), SKULK_STORE: proxy.url };
    expect((await runInProcess(['stage', 'org/m'], { env })).status).toBe(0);
    disk.setReadOnly(true);
    expect((await runInProcess(['stage', 'org/m'], { env })).status).toBe(0);
    expect((await runInProcess(['run', 'org/m', '--', 'true'], { env })).status).toBe(0);
    for (const args of [['stage', 'org/n'], ['run', 'org/n', '--', 'true'], ['purge-staging']])
      expect(await runInProcess(args, { env }), args.join(' ')).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(/read-only/),
      });
    disk.setReadOnly(false);
  });

  test('is reported when the directory for unfinished copies is on another disk', async () => {
    const home = await temporaryDirectory();
    await smallDisk(16 * mebibyte, join(home, 'staging', '.skulk', 'v1', 'incoming'));
    const { proxy } = await serveThroughProxy({ 'org/m': { a: 'a' } });
    const ended = await runInProcess(['stage', 'org/m'], { env: { SKULK_HOME: home, SKULK_STORE: proxy.url } });
    expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/another (disk|file system)/) });
    expect(await exists(join(home, 'staging', 'org--m'))).toBe(false);
  });
});
