import { execFile } from 'node:child_process';
import { mkdir, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished } from 'vitest';
import { digestsBelow, noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { few, longTest, usualTest } from '../helpers/seeded.ts';
import { startSkulk } from '../helpers/spawn-skulk.ts';
import { serveModels, serveThroughProxy } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const files = { 'config.json': '{}', 'sub/model.bin': noise(100_000) };
const run = promisify(execFile);

/** A host whose store has `org/m`; `cache` is its node_cache_path. */
async function host(cache: (home: string) => string = (home) => join(home, 'staging'), staging: object = {}) {
  const home = await realpath(await temporaryDirectory());
  await mkdir(join(home, 'store'));
  await writeFiles(join(home, 'source'), files);
  await writeFile(
    join(home, 'skulk.json'),
    JSON.stringify({ model_store: { store_path: join(home, 'store'), staging: { node_cache_path: cache(home), ...staging } } }),
  );
  const env = { SKULK_HOME: join(home, 'home'), SKULK_CONFIG: join(home, 'skulk.json') };
  const skulk = (...args: string[]) => runInProcess(args, { env });
  expect(await skulk('add', join(home, 'source'), '--as', 'org/m')).toMatchObject({ status: 0 });
  const stage = async (...args: string[]) => {
    const { status, stdout, stderr } = await skulk('stage', 'org/m', '--json', ...args);
    return { status, stderr, staged: status === 0 ? JSON.parse(stdout).staged[0] : undefined };
  };
  return { home, env, skulk, stage, canonical: join(home, 'store', 'org--m') };
}

const untouched = async (canonical: string): Promise<void> => {
  expect(Object.keys(await digestsBelow(canonical)).toSorted()).toEqual(['config.json', 'sub/model.bin']);
  expect((await readdir(canonical)).toSorted()).toEqual(['config.json', 'sub']);
};

describe('a stage on the store host', () => {
  usualTest('gives the canonical copy if node_cache_path is the store, for any spelling', async () => {
    for (const cache of [
      (home: string) => join(home, 'store'),
      (home: string) => `${home}/x/../store`,
      (home: string) => join(home, 'link'),
    ]) {
      const { home, stage, skulk, canonical } = await host(cache);
      await symlink(join(home, 'store'), join(home, 'link'));
      expect(await stage()).toMatchObject({ status: 0, staged: { source: 'in-place', path: canonical, bytes_transferred: 0 } });
      expect(await stage('--offline')).toMatchObject({ status: 0, staged: { source: 'in-place' } });
      expect((await skulk('stage', 'org/m@v7')).status).toBe(3);
      expect((await skulk('stage', 'org/none')).status).toBe(3);
      expect(await skulk('purge-staging')).toMatchObject({ status: 0, stderr: expect.stringContaining('store itself') });
      await untouched(canonical);
    }
  });

  longTest('gives the canonical copy with a server and by its URL too, and does not mix in a model of another store', async () => {
    const { env, stage, canonical } = await host((home) => join(home, 'store'));
    const server = await serveInProcess({ home: env.SKULK_HOME, env });
    expect(await stage()).toMatchObject({ status: 0, staged: { source: 'in-place', path: canonical } });
    expect(await stage('--store', server.url)).toMatchObject({ status: 0, staged: { source: 'in-place', path: canonical } });
    const other = await serveModels({ 'org/m': { other: 'bytes' } });
    expect(await stage('--store', other.url)).toMatchObject({ status: 2, stderr: expect.stringContaining('node_cache_path') });
    expect((await server.stop()).status).toBe(0);
    await untouched(canonical);
  });

  longTest.each(
    few([
      ['the cache is the store', (home: string) => join(home, 'store'), {}, true],
      ['staging is off', (home: string) => join(home, 'staging'), { enabled: false }, false],
    ] as const),
  )('keeps a model in place unchanged until its use ends (%s)', async (_, cache, staging, isServed) => {
    const { home, env, skulk, canonical } = await host(cache, staging);
    await using _server = isServed ? await serveInProcess({ home: env.SKULK_HOME, env }) : undefined;
    await writeFiles(join(home, 'other'), { 'config.json': '[]' });
    const marker = join(home, 'go-on');
    const program = `echo started; n=0; while [ ! -e ${marker} ] && [ $n -lt 10000 ]; do sleep 0.05; n=$((n + 1)); done; cat sub/model.bin | wc -c`;
    const user = startSkulk(['run', 'org/m', '--', 'sh', '-c', `cd {path} && ${program}`], { env });
    await until('the program', () => user.stdout().includes('started'));
    for (const args of [
      ['delete', 'org/m', '--yes'],
      ['add', join(home, 'other'), '--as', 'org/m', '--force'],
    ])
      expect(await skulk(...args), args.join(' ')).toMatchObject({ status: 5, stderr: expect.stringContaining('skulk run') });
    await untouched(canonical);
    await writeFile(marker, '');
    expect(await user.exited).toMatchObject({ status: 0, stdout: 'started\n100000\n' });
    await untouched(canonical);

    const activation = await skulk('activate', 'org/m', '--pid', String(process.pid), '--json');
    expect(JSON.parse(activation.stdout)).toMatchObject({ path: canonical, lease_id: expect.stringMatching(/^[0-9a-f]{24}$/) });
    expect(await skulk('delete', 'org/m', '--yes')).toMatchObject({ status: 5, stderr: expect.stringContaining(`pid ${process.pid}`) });
    expect(await skulk('deactivate', 'org/m', '--pid', String(process.pid))).toMatchObject({ status: 0 });
    await untouched(canonical);
    expect(await skulk('activate', 'org/m', '--pid', String(process.pid))).toMatchObject({ status: 0 });
    expect(await skulk('delete', 'org/m', '--yes', '--force')).toMatchObject({ status: 0 });
    expect(await readdir(join(home, 'store'))).toEqual(['.skulk', 'registry.json']);
  });

  longTest('makes a clone in another directory, with and without a server, and gives the canonical copy if staging is off', async () => {
    const { home, env, stage, canonical } = await host();
    const copy = join(home, 'staging', 'org--m');
    expect(await stage()).toMatchObject({ status: 0, staged: { source: 'clone', path: copy } });
    expect(await stage()).toMatchObject({ status: 0, staged: { source: 'cache', path: copy } });
    await rm(copy, { recursive: true });
    const server = await serveInProcess({ home: env.SKULK_HOME, env });
    expect(await stage()).toMatchObject({ status: 0, staged: { source: 'clone', path: copy } });
    expect(await digestsBelow(copy)).toEqual(await digestsBelow(canonical));
    await writeFile(join(copy, 'config.json'), '[]');
    expect(await stage()).toMatchObject({ status: 0, staged: { source: 'clone' } });
    expect(await digestsBelow(copy)).toEqual(await digestsBelow(canonical));
    expect((await server.stop()).status).toBe(0);
    const off = await host(undefined, { enabled: false });
    expect(await off.stage()).toMatchObject({ status: 0, staged: { source: 'in-place', path: off.canonical } });
  });
});

longTest(
  'stage exits with 3 for a missing model, with 4 for an unreachable store, and with 0 and a warning for an existing copy',
  async () => {
    const { proxy } = await serveThroughProxy({ 'org/m': files });
    const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: proxy.url };
    const copy = join(env.SKULK_HOME, 'staging', 'org--m');
    expect(await runInProcess(['stage', 'org/none'], { env })).toMatchObject({ status: 3, stdout: '' });
    expect(await runInProcess(['stage', 'org/m'], { env })).toMatchObject({ status: 0, stdout: `${copy}\n` });
    await proxy.stop();
    const [warm, missing] = await Promise.all([
      runInProcess(['stage', 'org/m'], { env }),
      runInProcess(['stage', 'org/other', '--json'], { env }),
    ]);
    expect(warm).toMatchObject({ status: 0, stdout: `${copy}\n`, stderr: expect.stringContaining('cannot check whether') });
    expect(missing).toMatchObject({ status: 4, stdout: '' });
    expect(JSON.parse(missing.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({
      code: 'STORE_UNREACHABLE',
      hint: expect.any(String),
    });
  },
);

usualTest('stage exits with 7 before a byte is sent when the disk has no space, also with --dry-run', async (context) => {
  const mount = await temporaryDirectory();
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]);
  } catch {
    return context.skip('no small file system can be mounted here');
  }
  onTestFinished(async () => void (await run('umount', ['-l', mount])));
  const { proxy } = await serveThroughProxy({ 'org/m': { a: noise(700_000), b: noise(700_000, 2) }, 'org/fits': { a: noise(600_000) } });
  const home = await temporaryDirectory();
  await writeFile(join(home, 'skulk.json'), JSON.stringify({ model_store: { staging: { node_cache_path: join(mount, 'cache') } } }));
  const env = { SKULK_HOME: home, SKULK_STORE: proxy.url, SKULK_CONFIG: join(home, 'skulk.json') };
  expect(await runInProcess(['stage', 'org/m'], { env })).toMatchObject({ status: 7, stdout: '', stderr: expect.stringContaining('free') });
  const planned = await runInProcess(['stage', 'org/m', '--dry-run'], { env });
  expect(planned).toMatchObject({ status: 7, stdout: expect.stringMatching(/ {2}not enough space: .* must be free at .*\/org--m\n/) });
  expect(planned.stderr).toMatch(/^skulk: staging org\/m needs 1\.34 MiB on \S+, and \d+ KiB are free\nhint: free some space/);
  expect(proxy.bytes()).toBe(0);
  expect(await runInProcess(['stage', 'org/fits', '--dry-run'], { env })).toMatchObject({ status: 0, stderr: '' });
  expect((await runInProcess(['stage', 'org/fits'], { env })).status).toBe(0);
  const forced = await runInProcess(['stage', 'org/fits', '--force'], { env });
  expect(forced).toMatchObject({ status: 7, stderr: expect.stringContaining('`skulk purge-staging org/fits` frees 586 KiB') });
  const plans = await runInProcess(['stage', 'org/fits', 'org/m', '--dry-run', '--json'], { env });
  expect(plans.status).toBe(7);
  const { message } = JSON.parse(plans.stderr.trim().split('\n').at(-1) ?? '').error;
  expect(JSON.parse(plans.stdout)).toMatchObject({ planned: [{ bytes_missing: 0 }, { model_id: 'org/m' }], no_space: { message } });
  expect(Object.keys(await digestsBelow(join(mount, 'cache', 'org--fits')))).toEqual(['a']);
});
