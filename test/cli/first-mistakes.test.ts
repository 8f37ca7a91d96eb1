import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { startSkulk } from '../helpers/spawn-skulk.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

usualTest.each(['model_stor', 'modelstore', 'Model_Store', 'model-store'])(
  'a section called %s is reported, because its keys have no effect',
  async (name) => {
    const home = await temporaryDirectory();
    const file = join(home, 'skulk.yaml');
    await writeFile(file, `# mine\n${name}:\n  store_port: 7\n`);
    const ended = await runInProcess(['config', 'validate', '--config', file], { env: { SKULK_HOME: home } });
    expect(ended).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(
        new RegExp(`skulk.yaml:2: ${name} .* so this file names no store: .*\nhint: did you mean "model_store"`),
      ),
    });
    for (const argv of [['show'], ['show', '--store', 'http://127.0.0.1:1']])
      expect((await runInProcess(['config', ...argv, '--config', file], { env: { SKULK_HOME: home } })).stderr).toMatch(
        argv.length === 1 ? / so this file names no store: / : / so all its settings have their defaults$/m,
      );
  },
);

usualTest('a section of model_store at the top level is reported too, and a section of another program with its name is not', async () => {
  const home = await temporaryDirectory();
  const lines = [
    'auth: {token: secret}',
    'staging: {staging_keep_recent_gb: 5}',
    'cards_path: /cards',
    'download: {folder: /tmp}',
    'enabled: no',
  ];
  await writeFile(join(home, 'skulk.yaml'), `${lines.join('\n')}\nmodel_store:\n  store_port: 7\n`);
  const { stderr } = await runInProcess(['config', 'validate'], { env: { SKULK_HOME: home }, cwd: home });
  expect(
    [...stderr.matchAll(/skulk.yaml:(\d): (\w+) is outside model_store and is ignored/g)].map(([, line, key]) => `${line} ${key}`),
  ).toEqual(['1 auth', '2 staging', '3 cards_path']);
  expect(stderr).not.toContain('secret');
});

usualTest('a setting of model_store at the top level of the file is reported, because it has no effect', async () => {
  const home = await temporaryDirectory();
  await writeFile(join(home, 'skulk.yaml'), 'inference: {}\nstore_host: kite3\nmodel_store:\n  store_port: 7\n');
  expect((await runInProcess(['config', 'validate'], { env: { SKULK_HOME: home }, cwd: home })).stderr).toMatch(
    /skulk.yaml:2: store_host is outside model_store.*\nhint: move it below "model_store:"/,
  );
});

usualTest('a misspelled model name, or one without its organization, gets a suggestion', async () => {
  const { url } = await serveModels({ 'org/model-4bit': { a: 'a' } });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: url, HF_HUB_OFFLINE: '1' };
  for (const line of ['show org/modle-4bit', 'delete model-4bit --yes', 'stage org/model-8bit', 'stage ORG/model-4bit', 'show org/MODEL']) {
    const ended = await runInProcess(line.split(' '), { env });
    expect(ended, line).toMatchObject({ status: 3, stderr: expect.stringContaining('did you mean org/model-4bit?') });
  }
});

usualTest('config, service and store without an action show their state, as policy and token do', async () => {
  const { url } = await serveModels({ 'org/m': { a: 'a' } });
  const home = await temporaryDirectory();
  const run = (...argv: readonly string[]) => runInProcess(argv, { env: { SKULK_HOME: home, HOME: home, SKULK_STORE: url } });
  expect(await run('config')).toEqual(await run('config', 'show'));
  expect((await run('config')).stdout).toContain('store_port');
  expect(await run('service')).toMatchObject({ status: 3, stderr: expect.stringContaining('not installed') });
  expect(await run('store')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^store {2}\S+ at http:\S+\nrole {3}canonical\n$/) });
  expect(JSON.parse((await run('store', '--json')).stdout)).toMatchObject({ location: url, role: 'canonical', upstream: null });
  // An action that was forgotten is not replaced by another one.
  expect(await run('store', '--undo', '--yes')).toMatchObject({ status: 2, stdout: '' });
  expect(await run('service', '--force')).toMatchObject({ status: 2, stdout: '' });
});

usualTest('stage suggests the similar model before it explains the failed download', async () => {
  const home = await temporaryDirectory();
  const source = join(home, 'source');
  await mkdir(source);
  await writeFile(join(source, 'config.json'), '{}');
  const env = { SKULK_HOME: home, HF_HUB_OFFLINE: '1' };
  expect(await runInProcess(['add', source, '--as', 'org/model-4bit'], { env })).toMatchObject({ status: 0 });
  const { status, stderr } = await runInProcess(['stage', 'org/modle-4bit'], { env });
  expect(status).toBe(3);
  expect(stderr).toMatch(/skulk: org\/modle-4bit is not .*\(did you mean org\/model-4bit\?\), and /);
  expect(stderr).toContain('unset HF_HUB_OFFLINE in the environment of this machine');
});

usualTest('a model whose name differs only by case is not requested from Hugging Face, whose answer would not help', async () => {
  const { url } = await serveModels({ 'Org/Model-4bit': { a: 'a' } });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: url, HF_ENDPOINT: 'http://127.0.0.1:9' };
  for (const line of ['stage org/model-4BIT', 'stage --dry-run org/model-4BIT', 'run org/model-4BIT -- true']) {
    const { status, stderr } = await runInProcess(line.split(' '), { env });
    expect(stderr, line).toContain('skulk: the store has no org/model-4BIT; did you mean Org/Model-4bit?\n');
    expect(status).toBe(3);
  }
});

longTest('stage says first that the store lacks a model, if Hugging Face cannot be reached', async () => {
  const home = await temporaryDirectory();
  await writeFiles(home, { 'source/config.json': '{}' });
  const cut = { SKULK_HOME: home, HF_ENDPOINT: 'http://127.0.0.1:9', HF_HOME: home };
  expect(await runInProcess(['add', join(home, 'source'), '--as', 'org/model-4bit'], { env: cut })).toMatchObject({ status: 0 });
  const typo = await runInProcess(['stage', 'org/modle-4bit'], { env: cut });
  expect(typo).toMatchObject({ status: 8, stderr: expect.stringContaining('?), and could not be downloaded: cannot reach ') });
  const nope = await runInProcess(['stage', 'me/Nope'], { env: cut });
  expect(nope).toMatchObject({
    status: 8,
    stderr: expect.stringContaining('me/Nope is not in the store, and could not be downloaded: cannot '),
  });
  expect(nope.stderr).toContain('hint: `skulk registry` lists the models; check the internet connection');
});

usualTest('a model that shares only its organization with others gets no suggestion', async () => {
  const { url } = await serveModels({ 'mlx-community/Llama-3B': { a: 'a' }, 'mlx-community/tiny': { a: 'a' } });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: url, HF_HUB_OFFLINE: '1' };
  for (const line of ['show mlx-community/Qwen-8B', 'delete mlx-community/none --yes', 'show mlx-community/Llama-70Bx-it']) {
    const ended = await runInProcess(line.split(' '), { env });
    expect(ended, line).toMatchObject({ status: 3, stderr: expect.not.stringContaining('did you mean') });
  }
});

usualTest('config init refuses wrong values without naming a file that does not exist, and names the file that --config gave', async () => {
  const home = await temporaryDirectory();
  const file = join(home, 'mine.yaml');
  const init = (...args: string[]) => runInProcess(['config', 'init', '--config', file, ...args], { env: { SKULK_HOME: home } });
  const wrong = await init('--store-host', 'ki te3');
  expect(wrong).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('nothing was written, because the result would be invalid'),
  });
  const url = await init('--print', '--store-host', 'http://kite3:9000');
  expect(url.stdout).toMatch(/ {2}store_host: "kite3"[\s\S]* {2}store_port: 9000/);
  expect((await init('--store-host', 'http://kite3:99999')).stderr).toContain('with a port from 1 to 65535');
  expect(await init('--store-host', 'kite3')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining(`next: skulk health --config ${file}`),
  });
});

usualTest('a server with a token distinguishes a missing token from a wrong one', async () => {
  const home = await temporaryDirectory();
  const { url } = await serveInProcess({ home, env: { SKULK_TOKEN: 'right' } });
  const health = (env: object) => runInProcess(['registry'], { env: { SKULK_HOME: home, SKULK_STORE: url, ...env } });
  // Without a token, a command on the same machine uses its key.
  expect(await health({})).toMatchObject({ status: 0 });
  expect(await health({ SKULK_HOME: join(home, 'other') })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('requires a token'),
  });
  const staging = { SKULK_HOME: join(home, 'other'), SKULK_STORE: url };
  await writeFiles(join(home, 'm'), { 'config.json': '{}' });
  const stage = (env: object, ...args: string[]) => runInProcess(['stage', ...args], { env: { ...staging, ...env } });
  expect(await runInProcess(['add', join(home, 'm'), '--as', 'org/model'], { env: { SKULK_HOME: home } })).toMatchObject({ status: 0 });
  expect(await stage({ SKULK_TOKEN: 'right' }, 'org/model')).toMatchObject({ status: 0 });
  const refused = await stage({ SKULK_TOKEN: 'wrong' }, 'org/model');
  expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('to use the copy on this machine: --offline') });
  expect((await stage({}, 'org/modle', '--offline')).stderr).toContain('hint: did you mean org/model? `skulk staging` lists the copies');
  expect(await health({ SKULK_TOKEN: 'wrong' })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('is invalid or was revoked'),
  });
  expect(await health({ SKULK_TOKEN: 'right' })).toMatchObject({ status: 0 });
});

usualTest('health of a store that is closed to the LAN works without a token, and reports that access needs one', async () => {
  const home = await temporaryDirectory();
  await using host = await serveInProcess({ home });
  expect(await runInProcess(['policy', 'set', 'lan', 'none'], { env: { SKULK_HOME: home } })).toMatchObject({ status: 0 });
  const env = { SKULK_HOME: join(home, 'other'), SKULK_STORE: host.url };
  // Another home on this machine finds the store, although no setting names it.
  const config = join(home, 'port.yaml');
  await writeFile(config, `model_store:\n  store_port: ${new URL(host.url).port}\n`);
  const found = { SKULK_HOME: join(home, 'third'), SKULK_CONFIG: config, SKULK_NO_DISCOVERY: '' };
  expect((await runInProcess(['health'], { env: found })).stdout).toMatch(/^configured +no, found on this machine\n/);
  const health = async () => JSON.parse((await runInProcess(['health', '--json'], { env })).stdout) as unknown;
  await expect
    .poll(health, { timeout: 60_000 })
    .toMatchObject({ reachable: true, store_path: host.storePath, total_bytes: expect.any(Number), requires_token: true });
  expect(await runInProcess(['health'], { env })).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(
      /reachable +yes\n[\s\S]*disk +\S+ \S+ free of [\s\S]*access +needs a token, and commands without one are refused: set SKULK_TOKEN/,
    ),
  });
  // A wrong token is an error that must be reported here.
  expect(await runInProcess(['health'], { env: { ...env, SKULK_TOKEN: 'wrong' } })).toMatchObject({ status: 2, stdout: '' });
  const own = await runInProcess(['health', '--json'], { env: { SKULK_HOME: home } });
  expect(JSON.parse(own.stdout)).toMatchObject({ reachable: true, requires_token: false });
});

usualTest.each([
  ['config set staging_keep_recent_gb 0', '"skulk config" has no action "set"', 'edit the file that `skulk config path` names'],
  ['config shwo', '"skulk config" has no action "shwo"', 'did you mean show?'],
  ['service install --dry-run', '"skulk service" has no option --dry-run', '`skulk service print` shows the unit'],
])('skulk %s is refused with a hint', async (line, says, hint) => {
  const ended = await runInProcess(line.split(' '), { env: { SKULK_HOME: await temporaryDirectory() } });
  expect(ended).toMatchObject({ status: 2, stdout: '', stderr: `skulk: ${says}\nhint: ${hint}\n` });
});

usualTest('--role node refuses --store-path', async () => {
  const ended = await runInProcess(['serve', '--role', 'node', '--store-path', '/tmp'], {
    env: { SKULK_HOME: await temporaryDirectory() },
  });
  expect(ended).toMatchObject({ status: 2, stderr: expect.stringContaining('--role node has no store') });
});

usualTest('serve refuses one port for both of its servers', async () => {
  const args = ['--role', 'store', '--no-mdns', '--port', '21043', '--api-port', '21043'];
  const ended = await runInProcess(['serve', ...args], { env: { SKULK_HOME: await temporaryDirectory() } });
  const says = 'skulk: the file server and the API cannot both use port 21043\nhint: use two different ports: --port for the file server';
  expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(says) });
});

usualTest.each(['inference', 'logging', 'model'])('a section called %s belongs to another program', async (name) => {
  const home = await temporaryDirectory();
  await writeFile(join(home, 'skulk.yaml'), `${name}:\n  store_port: 7\n`);
  expect((await runInProcess(['config', 'validate'], { env: { SKULK_HOME: home }, cwd: home })).stderr).toBe('');
});

usualTest.each([
  ['http://127.0.0.1:1', /connection refused/],
  ['http://no-such-host.invalid', /unknown host name/],
])('a staged copy is used when %s cannot be reached, and the reason is reported', async (store, cause) => {
  const { url } = await serveModels({ 'org/m': { a: 'a' } });
  const home = await temporaryDirectory();
  expect((await runInProcess(['stage', 'org/m'], { env: { SKULK_HOME: home, SKULK_STORE: url } })).status).toBe(0);
  const warm = await runInProcess(['stage', 'org/m'], { env: { SKULK_HOME: home, SKULK_STORE: store } });
  expect(warm).toMatchObject({ status: 0, stdout: `${home}/staging/org--m\n`, stderr: expect.stringMatching(cause) });
});

usualTest('health reports that the token is refused', async () => {
  const server = createServer((request, response) => {
    const isOpen = request.url === '/health';
    response.writeHead(isOpen ? 200 : 401, { 'Content-Type': 'application/json' });
    response.end(
      JSON.stringify(isOpen ? { store_path: '/s', free_bytes: 1, total_bytes: 1, used_bytes: 0 } : { detail: 'no', code: 'UNAUTHORIZED' }),
    );
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  const home = await temporaryDirectory();
  const store = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ended = await runInProcess(['health'], { env: { SKULK_HOME: home, SKULK_STORE: store, SKULK_TOKEN: 'wrong' } });
  expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/refused access[\s\S]*SKULK_TOKEN/) });
  expect(ended.stderr).not.toContain('wrong');
});

longTest('a node names its store when it is ready', async () => {
  const home = await temporaryDirectory();
  const serving = startSkulk(['serve', '--role', 'node', '--host', '127.0.0.1', '--api-port', '0', '--json'], {
    env: { SKULK_HOME: home, SKULK_STORE: 'http://127.0.0.1:1' },
  });
  await new Promise<void>((ready) => serving.child.stdout?.on('data', () => serving.stdout().includes('\n') && ready()));
  expect(JSON.parse(serving.stdout())).toEqual({
    event: 'ready',
    role: 'node',
    store_url: 'http://127.0.0.1:1',
    api_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    store_path: null,
    node_id: expect.any(String),
    pid: serving.pid,
  });
  serving.child.kill('SIGTERM');
  expect((await serving.exited).status).toBe(0);
});
