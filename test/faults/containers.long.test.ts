import { type ChildProcess, execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createStoreClient } from '../../src/core/client/store-client.ts';
import { mapConcurrently } from '../../src/core/kernel/flow/concurrency.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { acquireLock, type HeldLock } from '../../src/core/kernel/process/lock.ts';
import { uploadModel } from '../../src/core/operations/models/add/upload-model.ts';
import { stagingLayout } from '../../src/core/staging/layout.ts';
import { scanDirectory } from '../../src/core/store/ingest/scan-directory.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { type Contained, startContained } from '../helpers/containers.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { runSkulk, startSkulk } from '../helpers/spawn-skulk.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until, within } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';
import { testWorld } from '../helpers/world.ts';
import { leaseNode } from '../leases/lease-node.ts';

const onFreePorts = ['--host', '127.0.0.1', '--port', '0', '--api-port', '0'] as const;
const { signal } = new AbortController();

/** Waits for the line that `serve --json` prints when it is ready. */
async function readyLine({ stdout, stderr, child }: Pick<Contained, 'stdout' | 'stderr'> & { readonly child: ChildProcess }) {
  await until('the server', () => stdout().includes('\n') || child.exitCode !== null, stderr);
  expect(stdout(), stderr()).toContain('\n');
  return JSON.parse(stdout()) as { readonly store_url: string; readonly api_url: string; readonly pid: number };
}

/** Takes the lock of a suspended holder; half a minute of silence is shortened for the test. */
const takeFromSilent = (path: string): Promise<HeldLock> =>
  acquireLock(path, { purpose: 'a test', timeoutMs: 60_000, foreignSilenceMs: 300, signal });

const registryOf = async (storePath: string): Promise<readonly string[]> =>
  Object.keys(JSON.parse(await readFile(join(storePath, 'registry.json'), 'utf8').catch(() => '{}'))).sort();

describe('containers that share a directory', wants('pid namespaces'), () => {
  test('keep a copy that one of them uses from all other commands and agents, until half a minute after its container is killed', async () => {
    const { url } = await serveModels({ 'org/m': { a: 'first' }, 'org/n': { b: 'second one' } });
    const node = await leaseNode(url, { budgetGb: 0 });
    await node.run('stage', 'org/m', 'org/n');
    const env = { SKULK_HOME: node.home, SKULK_STORE: url, SKULK_CONFIG: join(node.home, 'skulk.yaml') };
    const running = startContained(['run', 'org/m', '--', 'sleep', '600'], { env, cwd: node.home, hostname: 'box' });
    await until(
      'the program',
      async () => Object.values(await node.leases()).some(({ holders }) => (holders as unknown[]).length === 2),
      running.stderr,
    );
    const who = 'in another container (box)';
    for (const args of [
      ['purge-staging', '--model', 'org/m'],
      ['purge-staging', '--model', 'org/m', '--dry-run'],
    ])
      expect(await node.json(...args)).toMatchObject({
        evicted: [],
        kept_in_use: [
          { model_id: 'org/m', holders: expect.arrayContaining([expect.objectContaining({ purpose: 'skulk run', place: who })]) },
        ],
      });
    const { stdout } = await node.run('purge-staging', '--model', 'org/m');
    expect(stdout).toMatch(/kept org\/m: in use by pid \d+ \(started by skulk run, pid \d+\) in another container \(box\)/);
    expect(stdout).toMatch(/; kept until its holder has been silent for 30 s; --force removes it now\n/);
    expect((await node.run('staging')).stdout).toContain(who);
    expect(await node.json('reconcile')).toMatchObject({ dropped_leases: [], evicted: [{ model_id: 'org/n' }] });
    await node.run('stage', 'org/n');
    const agent = node.start('serve', '--role', 'node', '--host', '127.0.0.1', '--api-port', '0');
    // It cleans up when it starts: unused copies are removed.
    await until('the eviction of what is idle', () => !existsSync(join(node.root, 'org--n')), agent.stderr);
    expect(await node.staged()).toEqual({ 'org/m': true });
    agent.child.kill('SIGTERM');
    await agent.exited;
    // Its heartbeat changes: half a minute later it is still in use, which a command detects that started before.
    expect(Object.keys(await node.leases())).toHaveLength(1);
    await running.kill();
    const killed = performance.now();
    expect(await node.staged()).toEqual({ 'org/m': true });
    expect(await node.json('reconcile')).toMatchObject({ dropped_leases: [] });
    const report = await until('the end of the lease', async () => {
      const purged = await node.json<{ evicted: unknown[] }>('purge-staging', '--model', 'org/m');
      return purged.evicted.length > 0 && purged;
    });
    expect(performance.now() - killed).toBeGreaterThan(25_000);
    expect(report).toMatchObject({ evicted: [{ model_id: 'org/m' }], kept_in_use: [] });
    expect(await node.json('reconcile')).toMatchObject({ dropped_leases: [{ model_id: 'org/m', purpose: 'skulk run' }] });
    expect((await readdir(join(node.root, '.skulk', 'v1', 'leases'))).filter((name) => !name.startsWith('.seen-'))).toEqual([]);
  });

  test('let one of them serve a store while the other reports it, lose no acknowledged change, and after a kill the other takes over', async () => {
    const home = await temporaryDirectory();
    const storePath = join(home, 'store');
    await mkdir(storePath);
    const start = (name: string): Contained =>
      startContained(['serve', ...onFreePorts, '--store-path', storePath, '--json'], { env: { SKULK_HOME: join(home, name) } });
    const both = [start('a'), start('b')] as const;
    const loser = await within(
      'the end of the second server',
      Promise.race(both.map((server) => server.exited.then((ended) => ({ server, ended })))),
      () => both.map(({ stderr }) => stderr()).join('\n'),
    );
    const [winner] = both.filter((server) => server !== loser.server);
    if (winner === undefined) throw new Error('both ended');
    const { store_url } = await readyLine(winner);
    expect(loser.ended).toMatchObject({ status: 5, stdout: '' });
    expect(loser.ended.stderr).toMatch(/is already held by skulk serve \(pid \d+ in another container\)/);
    // Once it answers, it is named with its address.
    const outside = startSkulk(['serve', ...onFreePorts, '--store-path', storePath], { env: { SKULK_HOME: join(home, 'c') } });
    const refused = await within('the refusal', outside.exited, outside.stderr);
    expect(refused).toMatchObject({ status: 5, stdout: '' });
    expect(refused.stderr).toContain(`at ${store_url}`);

    const client = createStoreClient({ url: store_url, signal, userAgent: 'a test', nodeId: undefined });
    onTestFinished(() => client.close());
    const names = Array.from({ length: 40 }, (_, index) => `org/m${index}`);
    const world = testWorld(home);
    await mapConcurrently(names, 2, async (name) => {
      const source = join(home, 'sources', name);
      await writeFiles(source, { 'config.json': `{"name":"${name}"}` });
      const { files } = await scanDirectory(source);
      await uploadModel(client.uploads, { modelId: parseModelId(name), files, force: false }, world);
    });
    expect(await registryOf(storePath)).toEqual(names.toSorted());
    // The network is shared, so commands of every container reach it; one with its own network gets the reason of the failure.
    const env = { SKULK_HOME: join(home, 'd') };
    const config = join(home, 'skulk.yaml');
    await writeFiles(home, {
      'skulk.yaml': `model_store:\n  store_host: ${(await promisify(execFile)('hostname')).stdout.trim()}\n  store_path: ${storePath}\n`,
    });
    const listed = await runSkulk(['registry', '--json'], { env: { ...env, SKULK_CONFIG: config } });
    expect(JSON.parse(listed.stdout).entries).toHaveLength(40);
    const cutOff = await startContained(['registry'], { env: { ...env, SKULK_CONFIG: config }, unshare: ['-n'] }).exited;
    expect(cutOff).toMatchObject({ status: 4, stdout: '' });
    expect(cutOff.stderr).toMatch(
      /is served by skulk serve \(pid \d+ in another container\), which answers at http:\S+ only inside its own network/,
    );
    expect(cutOff.stderr).toContain('SKULK_STORE');

    await winner.kill();
    const next = start('e');
    await readyLine(next);
    expect(await registryOf(storePath)).toEqual(names.toSorted());
    await next.kill();
  });

  test('let a stage that was suspended until another one took its copy publish nothing and report the reason', async () => {
    const { url } = await serveModels({ 'org/m': { 'a.bin': noise(3_000_000, 1).toString('latin1') } });
    const home = await temporaryDirectory();
    const root = join(home, 'staging');
    const layout = stagingLayout(root);
    const staging = startContained(['stage', 'org/m', '--limit-rate', '1M'], { env: { SKULK_HOME: home, SKULK_STORE: url } });
    await until('the transfer', () => existsSync(join(layout.incoming, 'org--m', 'files', 'a.bin')), staging.stderr);
    await staging.signal('SIGSTOP');
    await using _ = await takeFromSilent(join(layout.locks, 'org--m'));
    await staging.signal('SIGCONT');
    const ended = await within('the stage', staging.exited, staging.stderr);
    expect(ended).toMatchObject({ status: 5, stdout: '' });
    expect(ended.stderr).toMatch(/suspended for too long, and a test \(pid \d+ in another container\) has taken/);
    expect(existsSync(join(root, 'org--m'))).toBe(false);
  });

  test('let a server that was suspended until another one took its store change nothing more and exit with 5', async () => {
    const home = await temporaryDirectory();
    const storePath = join(home, 'store');
    const source = join(home, 'm');
    await mkdir(storePath);
    await writeFiles(source, { 'config.json': '{}' });
    const server = startContained(['serve', ...onFreePorts, '--store-path', storePath, '--json'], { env: { SKULK_HOME: home } });
    const { store_url, api_url } = await readyLine(server);
    const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: store_url };
    expect((await runSkulk(['add', source, '--as', 'org/m'], { env })).status).toBe(0);
    await server.signal('SIGSTOP');
    await using _ = await takeFromSilent(storeLayout(storePath).lock);
    // It starts before the server continues, and gets an answer before the server notices the loss by itself.
    const removal = fetch(`${store_url}/models/org/m`, { method: 'DELETE' }).then(
      ({ status }) => status,
      () => 0,
    );
    await server.signal('SIGCONT');
    expect(await within('the answer', removal, server.stderr)).not.toBe(200);
    const ended = await within('the server', server.exited, server.stderr);
    expect(ended.status).toBe(5);
    expect(ended.stderr).toMatch(
      /the server is stopping: this process was suspended for too long, and a test \(pid \d+ in another container\) has taken/,
    );
    expect(await registryOf(storePath)).toEqual(['org/m']);
    expect(existsSync(join(storePath, 'org--m', 'config.json'))).toBe(true);
    expect(api_url).toBeDefined();
  });
});
