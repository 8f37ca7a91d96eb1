import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fakeHub } from '../helpers/fake-hub.ts';
import { faultProxy } from '../helpers/fault-proxy.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { runSkulk, startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const mebibyte = 1024 * 1024;

describe('a store host without room', wants('a disk of their own'), () => {
  test('refuses a download before a byte is fetched', async () => {
    const hub = await fakeHub();
    hub.push('org/m', { files: { 'a.safetensors': noise(24 * mebibyte, 1), 'config.json': '{}' } });
    const disk = await smallDisk(16 * mebibyte);
    const home = await temporaryDirectory();
    const env = { SKULK_HOME: home, HF_ENDPOINT: hub.url };
    const served = await startServe({ home, args: ['--store-path', disk.path], env });
    onTestFinished(() => served[Symbol.asyncDispose]());
    const refused = await runSkulk(['download', 'org/m'], { env: { ...env, SKULK_STORE: served.url } });
    expect(refused, refused.stderr).toMatchObject({ status: 7, stdout: '' });
    expect(refused.stderr).toContain('24.0 MiB');
    expect(hub.sent('a.safetensors')).toBe(0);
    await disk.leave('all');
  });

  test('refuses a model of another machine before a piece is sent', async () => {
    const disk = await smallDisk(16 * mebibyte);
    const home = await temporaryDirectory();
    await writeFiles(join(home, 'm'), { 'a.bin': noise(24 * mebibyte, 1) });
    const served = await startServe({ home: join(home, 'host'), args: ['--store-path', disk.path] });
    onTestFinished(() => served[Symbol.asyncDispose]());
    const proxy = await faultProxy(served.url);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    proxy.setHealth((health) => ({ ...health, store_path: '/on/another/machine' }));
    const refused = await runSkulk(['add', join(home, 'm'), '--as', 'org/m'], {
      env: { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url },
    });
    expect(refused, refused.stderr).toMatchObject({ status: 7, stdout: '' });
    expect(proxy.requests.filter((line) => line.startsWith('PUT')).length).toBe(1);
    expect(await readdir(disk.path)).not.toContain('org--m');
  });
});
