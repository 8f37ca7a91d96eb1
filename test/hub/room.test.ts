import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { fakeHub } from '../helpers/fake-hub.ts';
import { faultProxy } from '../helpers/fault-proxy.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const mebibyte = 1024 * 1024;

describe('a store host without disk space', wants('a disk of their own'), () => {
  usualTest('refuses a download before a byte is fetched', async () => {
    const hub = await fakeHub();
    hub.push('org/m', { files: { 'a.safetensors': noise(24 * mebibyte, 1), 'config.json': '{}' } });
    const disk = await smallDisk(16 * mebibyte);
    const home = await temporaryDirectory();
    const env = { SKULK_HOME: home, HF_ENDPOINT: hub.url };
    const served = await serveInProcess({ home, args: ['--store-path', disk.path], env });
    const refused = await runInProcess(['download', 'org/m'], { env: { ...env, SKULK_STORE: served.url } });
    expect(refused, refused.stderr).toMatchObject({ status: 7, stdout: '' });
    expect(refused.stderr).toContain('24.0 MiB');
    expect(hub.sent('a.safetensors')).toBe(0);
    await disk.leave('all');
  });

  longTest('refuses a model of another machine before a piece is sent', async () => {
    const disk = await smallDisk(16 * mebibyte);
    const home = await temporaryDirectory();
    await writeFiles(join(home, 'm'), { 'a.bin': noise(24 * mebibyte, 1) });
    const served = await serveInProcess({ home: join(home, 'host'), args: ['--store-path', disk.path] });
    const proxy = await faultProxy(served.url);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    proxy.setHealth((health) => ({ ...health, store_path: '/on/another/machine' }));
    const refused = await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], {
      env: { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url },
    });
    expect(refused, refused.stderr).toMatchObject({ status: 7, stdout: '' });
    expect(proxy.requests.filter((line) => line.startsWith('PUT')).length).toBe(1);
    expect(await readdir(disk.path)).not.toContain('org--m');
  });
});

describe('the reserved disk space of a store', wants('a disk of their own'), () => {
  longTest('is not used by a download, an upload or a copy, and a model can still be removed', async () => {
    const hub = await fakeHub();
    hub.push('org/m', { files: { 'a.safetensors': noise(3 * mebibyte, 1) } });
    const disk = await smallDisk(400 * mebibyte);
    const home = await temporaryDirectory();
    const env = { SKULK_HOME: home, HF_ENDPOINT: hub.url };
    await writeFiles(join(home, 'm'), { 'a.bin': noise(3 * mebibyte, 2) });
    await writeFiles(join(home, 'small'), { 'a.bin': noise(4096, 2) });
    const add = (model: string, more: Readonly<Record<string, string>>) =>
      runInProcess(['add', join(home, model), '--as', `org/${model}`], { env: { ...env, ...more } });
    const served = await serveInProcess({ home, args: ['--store-path', disk.path], env });
    const toServer = { SKULK_STORE: served.url };
    expect(await add('small', toServer)).toMatchObject({ status: 0 });
    // One percent of the disk is 4 MiB: the files fit, but only in the reserve.
    await disk.leave(6 * mebibyte);
    const proxy = await faultProxy(served.url);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    proxy.setHealth((health) => ({ ...health, store_path: '/on/another/machine' }));
    for (const refused of [
      await runInProcess(['download', 'org/m'], { env: { ...env, ...toServer } }),
      await add('m', { SKULK_STORE: proxy.url }),
      await add('m', toServer),
    ]) {
      expect(refused, refused.stderr).toMatchObject({ status: 7, stdout: '' });
      expect(refused.stderr).toContain('are reserved for the store itself');
    }
    const removed = await runInProcess(['delete', 'org/small', '--yes'], { env: { ...env, ...toServer } });
    expect(removed, removed.stderr).toMatchObject({ status: 0 });
    await disk.leave(9 * mebibyte);
    const added = await add('m', toServer);
    expect(added, added.stderr).toMatchObject({ status: 0 });
    await disk.leave('all');
  });
});
