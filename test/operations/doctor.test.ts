import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { llamaQuantize } from '../helpers/quantizer.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

interface Doctor {
  ok: boolean;
  checks: { id: string; status: string; found: string; todo: string | null }[];
}

/** Runs the doctor on a separate machine. */
async function examine(yaml: string | undefined, { home, env = {} }: { home?: string; env?: Record<string, string> } = {}) {
  const place = home ?? (await temporaryDirectory());
  const config = join(place, 'skulk.yaml');
  if (yaml !== undefined) await writeFile(config, yaml);
  const ended = await runInProcess(['doctor', '--json'], {
    env: { SKULK_HOME: place, ...(yaml !== undefined && { SKULK_CONFIG: config }), ...env },
    cwd: place,
  });
  const report = (ended.stdout === '' ? undefined : JSON.parse(ended.stdout)) as Doctor;
  const of = (id: string) => report.checks.find((check) => check.id === id);
  return { ...ended, report, of };
}

/** A port of 127.0.0.1 with scripted answers. */
async function somethingElse(answer: (url: string) => unknown): Promise<number> {
  const server = createServer(
    (request, response) => void response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer(request.url ?? ''))),
  );
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('skulk doctor', () => {
  usualTest.each([
    ['aria2 1.37.0 is installed', 'echo "aria2 version 1.37.0"', 'ok'],
    ['does not start', 'exit 1', 'warning'],
    ['aria2 is not installed', undefined, 'skipped'],
  ])('says that %s', async (says, program, status) => {
    const path = await temporaryDirectory();
    if (program !== undefined) await writeFile(join(path, 'aria2c'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    const { of } = await examine(undefined, { env: { PATH: path } });
    expect(of('swarm')).toMatchObject({ status, found: expect.stringContaining(says) });
    if (status === 'ok') expect(of('swarm')?.found).toMatch(/TCP ports (\d+)-\d+ between nodes/);
  });

  usualTest('finds no problem with a host and its server, and with a node', async () => {
    const home = await temporaryDirectory();
    await using served = await serveInProcess({ home });
    const host = await examine(undefined, { home });
    expect(host).toMatchObject({ status: 0, report: { ok: true } });
    expect([host.of('role')?.found, host.of('store')?.found]).toEqual([
      expect.stringContaining('the store host'),
      expect.stringContaining(served.url),
    ]);
    const node = await examine(undefined, { env: { SKULK_STORE: served.url } });
    expect(node).toMatchObject({ status: 0, report: { ok: true } });
    expect(node.report.checks.map(({ id, status }) => `${id} ${status}`)).toEqual(
      expect.arrayContaining([
        'configuration ok',
        'role ok',
        'address ok',
        'store ok',
        'clock ok',
        'staging path ok',
        'staging ok',
        'budget ok',
      ]),
    );
  });

  usualTest('warns once that there is no store, and with a store on the disk that no server runs', async () => {
    const home = await temporaryDirectory();
    const unset = await examine(undefined, { home });
    expect(unset.of('role')).toMatchObject({ status: 'warning', found: expect.stringContaining('no store is configured') });
    expect(unset.of('store')).toMatchObject({ status: 'skipped', found: 'there is no store to ask' });
    await mkdir(join(home, 'store/.skulk/v1'), { recursive: true });
    const unserved = await examine(undefined, { home });
    expect(unserved.of('role')).toMatchObject({ status: 'ok' });
    expect(unserved.of('store')).toMatchObject({ status: 'warning', todo: 'run `skulk serve`' });
  });

  longTest('shows the rights of the LAN without a token, with and without a server, on the host and on a node', async () => {
    const home = await temporaryDirectory();
    const served = await serveInProcess({ home });
    const set = (lan: string) => runInProcess(['policy', 'set', 'lan', lan], { env: { SKULK_HOME: home } });
    const access = async (on: Parameters<typeof examine>[1]) => (await examine(undefined, on)).of('access');
    const node = { env: { SKULK_STORE: served.url } };
    for (const [lan, says] of [
      ['node', /read and change models \(role node\).*skulk policy set lan none/],
      ['read', /only read \(role read\).*to change this.*lan none.*lan node/],
      ['none', /do nothing.*skulk token create NAME --role node.*skulk policy set lan node/],
    ] as const) {
      expect(await set(lan)).toMatchObject({ status: 0 });
      for (const on of [{ home }, node])
        await expect
          .poll(() => access(on), { timeout: 60_000 })
          .toMatchObject({ status: 'ok', found: expect.stringMatching(says), todo: null });
    }
    await served.stop();
    expect(await access({ home })).toMatchObject({ status: 'ok', found: expect.stringContaining('do nothing') });
    expect(await access({ home, env: { SKULK_TOKEN: 'secret' } })).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('SKULK_TOKEN'),
    });
  });

  usualTest('reports that the server serves a different directory than commands on its machine use', async () => {
    await using served = await serveInProcess({ home: await temporaryDirectory() });
    const home = await temporaryDirectory();
    await mkdir(join(home, 'disk'));
    const { of, status } = await examine(`model_store:\n  store_path: ${home}/disk\n  store_port: ${new URL(served.url).port}\n`, { home });
    expect(status).toBe(0);
    expect(of('store')).toMatchObject({
      status: 'warning',
      found: expect.stringContaining(served.storePath),
      todo: expect.stringContaining(`store_path: ${served.storePath}`),
    });
  });

  usualTest('reports that others can read a token in the configuration file', async () => {
    const home = await temporaryDirectory();
    const file = join(home, 'skulk.yaml');
    for (const [yaml, mode, status] of [
      ['hf_token: hf_secret1\n', 0o644, 'warning'],
      ['model_store: {auth: {token: only-for-us}}\n', 0o640, 'warning'],
      ['hf_token: hf_secret1\n', 0o600, 'ok'],
      ['model_store: {}\n', 0o644, 'ok'],
    ] as const) {
      await writeFile(file, yaml);
      await chmod(file, mode);
      const { of } = await examine(undefined, { home, env: { SKULK_CONFIG: file } });
      expect([yaml, mode, of('secrets')?.status]).toEqual([yaml, mode, status]);
      if (status === 'warning') expect(of('secrets')?.todo).toBe(`chmod 600 ${file}`);
    }
  });

  usualTest('reports an error in the configuration, with its place', async () => {
    const { status, report } = await examine('model_store:\n  store_prt: 1\n');
    expect(status).toBe(2);
    expect(report).toMatchObject({
      ok: false,
      checks: [
        {
          id: 'configuration',
          status: 'problem',
          found: expect.stringContaining('skulk.yaml:2'),
          todo: expect.stringContaining('store_port'),
        },
      ],
    });
  });

  usualTest.each([
    ['a name that nobody knows', 'store_host: no-such-host.invalid', 'address', 'problem', /no-such-host.invalid .*resolved/, 4],
    [
      'a link-local address',
      'store_host: other\n  store_http_host: 169.254.1.2\n  store_port: 1',
      'address',
      'warning',
      /link-local/,
      undefined,
    ],
    [
      'a port where nobody listens',
      'store_host: other\n  store_http_host: 127.0.0.1\n  store_port: 1',
      'store',
      'problem',
      /cannot be reached: connection refused/,
      4,
    ],
    ['a store that is disabled', 'enabled: false', 'role', 'problem', /is disabled/, 4],
    ['a store path that is not mounted', 'store_path: /nowhere/at/all', 'store path', 'problem', /does not exist/, 2],
  ])('finds %s', async (_, lines, id, state, found, exit) => {
    const { status, of } = await examine(`model_store:\n  ${lines}\n`);
    expect(of(id)).toMatchObject({ status: state, found: expect.stringMatching(found), todo: expect.any(String) });
    // The answer at an unused address depends on the network.
    if (exit !== undefined) expect(status).toBe(exit);
  });

  usualTest('distinguishes a store from another program, another version and a store with another time', async () => {
    const other = await somethingElse(() => ({ hello: 'world' }));
    const wrong = await examine(undefined, { env: { SKULK_STORE: `http://127.0.0.1:${other}` } });
    expect([wrong.status, wrong.of('store')?.status]).toEqual([4, 'problem']);
    const health = {
      store_path: '/s',
      free_bytes: 1,
      total_bytes: 2,
      used_bytes: 1,
      models: 0,
      version: '0.0.1',
      hostname: 'x',
      time: '2001-01-01T00:00:00Z',
    };
    const old = await somethingElse((url) => (url === '/registry' ? [] : health));
    const aged = await examine(undefined, { env: { SKULK_STORE: `http://127.0.0.1:${old}` } });
    expect(aged.status).toBe(0);
    expect(aged.of('store')).toMatchObject({ status: 'warning', found: expect.stringContaining('0.0.1') });
    expect(aged.of('clock')).toMatchObject({ status: 'warning', found: expect.stringContaining('minutes apart') });
  });

  longTest('finds models without a directory, other files among the copies, and remains of old work', async () => {
    const home = await temporaryDirectory();
    const model = join(home, 'm');
    await mkdir(model);
    await writeFile(join(model, 'a'), 'a');
    for (const id of ['org/m', 'org/n'])
      expect((await runInProcess(['add', model, '--as', id], { env: { SKULK_HOME: home } })).status).toBe(0);
    expect((await runInProcess(['stage', 'org/m'], { env: { SKULK_HOME: home } })).status).toBe(0);
    await rm(join(home, 'store', 'org--n'), { recursive: true });
    await mkdir(join(home, 'staging', 'holiday pictures'));
    await mkdir(join(home, 'staging', '.skulk', 'v1', 'trash', 'x'), { recursive: true });
    const { status, of } = await examine(undefined, { home });
    expect(status).toBe(6);
    expect(of('models')).toMatchObject({ status: 'problem', found: expect.stringContaining('org/n') });
    expect(of('staging')).toMatchObject({ status: 'warning', found: expect.stringMatching(/1 copy, .*1 leftover of.*holiday pictures/) });
    await rm(join(home, 'staging', 'holiday pictures'), { recursive: true });
    expect((await examine(undefined, { home })).of('staging')).toMatchObject({
      status: 'warning',
      todo: expect.stringContaining('reconcile'),
    });
  });

  usualTest('recognizes the in-place setting, also through a link, and a staging path inside the store', async () => {
    const home = await temporaryDirectory();
    const store = join(home, 'Store');
    await mkdir(store);
    await writeFile(join(store, 'registry.json'), '{}');
    await symlink(store, join(home, 'link'));
    const yaml = (path: string): string => `model_store:\n  store_path: ${store}\n  staging:\n    node_cache_path: ${path}\n`;
    expect((await examine(yaml(join(home, 'link')), { home })).of('staging path')).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('in place'),
    });
    expect((await examine(yaml(join(store, 'cache')), { home })).of('staging path')).toMatchObject({ status: 'problem' });
  });

  describe('on a store host', () => {
    const engine = async (env: Record<string, string>, name = 'llama') => {
      const home = await temporaryDirectory();
      const yaml = `model_store:\n  store_host: ${hostname()}\n  store_path: ${join(home, 'store')}\n`;
      return (await examine(yaml, { home, env: { HOME: home, PATH: join(home, 'bin'), ...env } })).of(`engine ${name}`);
    };

    usualTest('names the program and the version of an engine', wants('llama-quantize'), async () => {
      expect(await engine({ SKULK_ENGINE_LLAMA: llamaQuantize })).toMatchObject({
        status: 'ok',
        found: expect.stringMatching(/llama-quantize.*, version node-llama-cpp \d/),
      });
    });

    // Where a package manager has installed one, it is found there.
    const isInstalled = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'].some((at) => existsSync(join(at, 'llama-quantize')));
    usualTest.skipIf(isInstalled)('says how to install a missing engine', async () => {
      expect(await engine({})).toMatchObject({
        status: 'skipped',
        found: expect.stringMatching(/not installed; to install it: .*apt install llama\.cpp-tools/),
      });
    });

    usualTest('warns about an environment variable that names no engine', async () => {
      expect(await engine({ SKULK_ENGINE_MLX: '/nowhere/mlx_lm.convert' }, 'mlx')).toMatchObject({
        status: 'warning',
        found: expect.stringContaining('/nowhere/mlx_lm.convert'),
        todo: expect.stringContaining('SKULK_ENGINE_MLX'),
      });
    });
  });

  usualTest('prints its findings as text', async () => {
    const place = await temporaryDirectory();
    const { stdout, stderr, status } = await runInProcess(['doctor'], {
      env: { SKULK_HOME: place, SKULK_STORE: 'http://127.0.0.1:1' },
      cwd: place,
    });
    expect(status).toBe(4);
    expect(`${stdout}${stderr}`).toMatch(/FAIL {2}store: .*connection refused.*\n {6}-> check that `skulk serve` is running/);
  });
});
