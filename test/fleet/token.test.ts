import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const token = 'only-for-this-lan';

test('the host requires a token of the configuration file, commands and agents send it, and no output contains it', async () => {
  const home = await temporaryDirectory();
  const config = join(home, 'skulk.yaml');
  await writeFile(config, `model_store:\n  auth:\n    token: ${token}\n`);
  await writeFiles(join(home, 'source'), { 'a.gguf': 'some bytes' });
  const hostEnv = { SKULK_HOME: join(home, 'host'), SKULK_CONFIG: config };
  const host = await serveInProcess({
    home: join(home, 'host'),
    env: { SKULK_CONFIG: config, SKULK_NODE_ID: 'host' },
    args: ['--verbose'],
  });
  onTestFinished(() => host[Symbol.asyncDispose]());
  expect(await runInProcess(['add', join(home, 'source'), '--as', 'org/m'], { env: hostEnv })).toMatchObject({ status: 0 });
  for (const [url, target] of [
    [host.url, '/registry'],
    [host.url, '/nodes'],
    [host.apiUrl, '/store/registry'],
    [host.apiUrl, '/config'],
  ] as const)
    expect([target, (await ask(url, target)).status]).toEqual([target, 401]);
  expect((await ask(host.url, '/health')).status).toBe(200);
  const shown = await ask(host.apiUrl, '/config', { headers: { authorization: `Bearer ${token}` } });
  expect(shown.status).toBe(200);
  expect(shown.body.toString()).not.toContain(token);

  const nodeEnv = { SKULK_HOME: join(home, 'n1'), SKULK_NODE_ID: 'n1', SKULK_STORE: host.url };
  expect(await runInProcess(['stage', 'org/m'], { env: nodeEnv })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('SKULK_TOKEN'),
  });
  const node = await serveInProcess({ home: join(home, 'n1'), args: ['--role', 'node'], env: { ...nodeEnv, SKULK_CONFIG: config } });
  onTestFinished(() => node[Symbol.asyncDispose]());
  expect(await runInProcess(['stage', 'org/m'], { env: { ...nodeEnv, SKULK_CONFIG: config } })).toMatchObject({ status: 0 });
  const deleted = await runInProcess(['delete', 'org/m', '--wait', '1m', '--yes', '--json'], { env: { ...nodeEnv, SKULK_CONFIG: config } });
  expect(JSON.parse(deleted.stdout)).toMatchObject({
    nodes: expect.arrayContaining([expect.objectContaining({ node: 'n1', status: 'done' })]),
  });
  const config2 = await runInProcess(['config', 'show'], { env: hostEnv });
  for (const said of [config2.stdout, host.stderr(), node.stderr(), deleted.stderr]) expect(said).not.toContain(token);
});

test('an invalid token is refused without being printed', async () => {
  const home = await temporaryDirectory();
  const config = join(home, 'skulk.yaml');
  for (const bad of ['"with a space"', 'short', '"line\\nbreak-in-it"']) {
    await writeFile(config, `model_store:\n  auth:\n    token: ${bad}\n`);
    const ended = await runInProcess(['config', 'validate'], { env: { SKULK_HOME: home, SKULK_CONFIG: config } });
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toContain('model_store.auth.token');
    expect(ended.stderr).not.toMatch(/with a space|short|break-in-it/);
  }
});

test('a machine that may only read warns that its copies are not known to the store, once an hour', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  await world.add('org/two');
  const host = await world.hostInProcess();
  expect(await world.host('policy', 'set', 'lan', 'read')).toMatchObject({ status: 0 });
  const warning = 'warning: the store does not let this machine report its copies, so a delete there does not reach them';
  const guest = (...args: readonly string[]) => world.node('guest', host.url, ...args);
  // Without a copy there is nothing to warn of.
  expect((await guest('purge-staging')).stderr).not.toContain('report its copies');
  const first = await guest('stage', '--quiet', 'org/one');
  expect(first).toMatchObject({ status: 0, stderr: expect.stringContaining(warning) });
  expect(first.stderr).toContain('(role read)');
  expect(first.stderr).toMatch(/token create NAME --role node[\s\S]*put it into SKULK_TOKEN; then run `skulk reconcile` here/);
  expect(first.stderr.match(/report its copies/g)).toHaveLength(1);
  const again = await guest('stage', 'org/two');
  expect(again).toMatchObject({ status: 0, stderr: expect.not.stringContaining('report its copies') });
  const hourAgo = new Date(Date.now() - 3_700_000);
  await utimes(join(world.home, 'guest/report-refused'), hourAgo, hourAgo);
  expect((await guest('purge-staging', 'org/two')).stderr).toContain(warning);
  // A store that does not answer has not refused anything.
  await host.stop();
  await utimes(join(world.home, 'guest/report-refused'), hourAgo, hourAgo);
  expect((await guest('stage', 'org/one')).stderr).not.toContain('report its copies');
});
