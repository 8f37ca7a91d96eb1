import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exfatDisk } from '../helpers/exfat-disk.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { serveThroughProxy } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const files = { 'Config.json': 'one', 'config.json': 'two' };
const both = { status: 5, stdout: '', stderr: expect.stringMatching(/Config\.json.*config\.json/s) };
const options = wants('an exFAT disk');

test(
  'names that are equal on a disk are refused before a byte is sent, and staged on a disk that distinguishes them',
  options,
  async () => {
    const disk = await exfatDisk();
    const { proxy } = await serveThroughProxy({ 'org/m': files, 'Org/other': { 'a.gguf': 'a' }, 'org/Other': { 'a.gguf': 'b' } });
    const home = await temporaryDirectory();
    await writeFiles(home, { 'skulk.json': JSON.stringify({ model_store: { staging: { node_cache_path: join(disk, 'cache') } } }) });
    const env = { SKULK_HOME: home, SKULK_STORE: proxy.url };
    const there = { env: { ...env, SKULK_CONFIG: join(home, 'skulk.json') } };
    for (const args of [
      ['stage', 'org/m'],
      ['stage', '--dry-run', 'org/m'],
      ['run', 'org/m', '--', 'true'],
    ])
      expect(await runInProcess(args, there), args.join(' ')).toMatchObject(both);
    expect(proxy.bytes()).toBe(0);
    expect((await readdir(disk, { recursive: true })).filter((path) => path.toLowerCase().includes('config'))).toEqual([]);
    expect(await runInProcess(['stage', 'Org/other'], there)).toMatchObject({ status: 0 });
    expect(await runInProcess(['stage', 'Org/other'], there)).toMatchObject({ status: 0 });
    expect(await runInProcess(['stage', 'org/Other'], there)).toMatchObject({ status: 5, stderr: expect.stringContaining('Org/other') });
    expect(await readFile(join(disk, 'cache/Org--other/a.gguf'), 'utf8')).toBe('a');
    const staged = await runInProcess(['stage', 'org/m'], { env });
    expect(staged).toMatchObject({ status: 0 });
    expect((await readdir(join(home, 'staging/org--m'))).toSorted()).toEqual(['.last_used', '.skulk.json', 'Config.json', 'config.json']);
  },
);

test(
  'a store on a disk that does not distinguish such names refuses them from a directory, another machine and Hugging Face',
  options,
  async () => {
    const disk = await exfatDisk();
    const world = await hubWorld();
    world.hub.push('org/hub', { files: { ...files, 'a.safetensors': 'weights' } });
    const store = join(disk, 'store');
    await mkdir(store);
    const source = join(world.home, 'source');
    await writeFiles(source, files);
    const host = { SKULK_HOME: join(world.home, 'h'), HF_ENDPOINT: world.hub.url, SKULK_CONFIG: join(world.home, 'skulk.json') };
    await writeFiles(world.home, { 'skulk.json': JSON.stringify({ model_store: { store_path: store } }) });
    expect(await runInProcess(['add', source, '--as', 'org/m'], { env: host })).toMatchObject(both);
    expect(await runInProcess(['download', 'org/hub'], { env: host })).toMatchObject(both);
    const served = await serveInProcess({ home: join(world.home, 'h'), env: host });
    const node = { SKULK_HOME: join(world.home, 'node'), SKULK_STORE: served.url };
    expect(await runInProcess(['download', 'org/hub'], { env: node })).toMatchObject(both);
    expect(await runInProcess(['add', source, '--as', 'org/m'], { env: node })).toMatchObject(both);
    expect((await readdir(store, { recursive: true })).filter((path) => path.toLowerCase().endsWith('config.json'))).toEqual([]);
    expect(world.hub.sent('a.safetensors')).toBe(0);
  },
);
