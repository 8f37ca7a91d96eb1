import { appendFile, readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { faultProxy } from '../helpers/fault-proxy.ts';
import { digestsBelow, noise, writeFiles } from '../helpers/model-files.ts';
import { ask, outcomeOf } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, rounds, seededRandom, testSeed } from '../helpers/seeded.ts';
import { type Ended, type Serving, startServe, startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/** Files of which one has this many whole pieces and a little more. */
const filesOf = (pieces: number) => ({
  'config.json': '{}',
  'a.bin': noise(pieces * chunkSize + 5, 1),
  'sub/b é.bin': noise(70_000, 2),
  'empty.txt': '',
});

/** A store host and another machine: one that cannot read the host's disk. */
async function twoMachines<T extends Serving>(serveHost: (options: { home: string }) => Promise<T>, files = filesOf(1)) {
  const home = await temporaryDirectory();
  const source = join(home, 'm');
  await writeFiles(source, files);
  const serve = () => serveHost({ home: join(home, 'host') });
  const served = await serve();
  onTestFinished(() => served[Symbol.asyncDispose]());
  const proxy = await faultProxy(served.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  proxy.setFault(undefined);
  // A machine recognizes that it is the host by the store's path and lock token.
  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: proxy.url };
  return {
    home,
    source,
    served,
    serve,
    proxy,
    env,
    add: (...args: string[]): Promise<Ended> => runInProcess(['add', source, '--as', 'org/up', ...args], { env }),
  };
}

const sentPieces = (requests: readonly string[]): number =>
  requests.filter((line) => /^PUT \/uploads\/[^/]+\/[0-9a-f]{64}\//.test(line)).length;

longTest('an uploaded model is checked, and listed only when it is complete', async () => {
  const { source, served, add, proxy, env } = await twoMachines(serveInProcess);
  hideHost(proxy);
  const added = await add('--json', '--revision', 'v1');
  expect(added.status, added.stderr).toBe(0);
  expect(JSON.parse(added.stdout)).toMatchObject({ model_id: 'org/up', outcome: 'added', bytes_copied: chunkSize + 5 + 70_002 });
  expect(await digestsBelow(join(served.storePath, 'org--up'))).toEqual(await digestsBelow(source));
  expect((await runInProcess(['verify'], { env })).status).toBe(0);
  expect(await readdir(join(served.storePath, '.skulk', 'v1', 'uploads'))).toEqual([]);
  // Again: nothing is sent.
  const before = sentPieces(proxy.requests);
  const again = await add('--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'unchanged', bytes_copied: 0 });
  expect(sentPieces(proxy.requests)).toBe(before);
});

test('different content needs --force, and then only changed pieces are sent', async () => {
  const { source, served, add, proxy } = await twoMachines(serveInProcess);
  hideHost(proxy);
  expect((await add()).status).toBe(0);
  await appendFile(join(source, 'a.bin'), 'more');
  const asked = proxy.requests.length;
  const refused = await add();
  expect(refused).toMatchObject({ status: 5, stdout: '' });
  expect(refused.stderr).toContain('--force');
  expect(proxy.requests.slice(asked).filter((line) => line.startsWith('PUT '))).toEqual([]);
  const before = sentPieces(proxy.requests);
  const forced = await add('--force', '--json');
  expect(forced.status, forced.stderr).toBe(0);
  expect(JSON.parse(forced.stdout)).toMatchObject({ outcome: 'replaced', bytes_copied: 9 });
  expect(sentPieces(proxy.requests)).toBe(before + 1);
  expect(await digestsBelow(join(served.storePath, 'org--up'))).toEqual(await digestsBelow(source));
});

test.each([
  ['a piece', `/${'0'.repeat(64)}/0/0`],
  ['a manifest', ''],
])('a sender that goes away in the middle of %s is only a warning of the server', async (_, rest) => {
  const served = await serveInProcess({ home: await temporaryDirectory() });
  onTestFinished(() => served[Symbol.asyncDispose]());
  const { hostname, port } = new URL(served.url);
  const socket = connect(Number(port), hostname);
  const lines = [
    `PUT /uploads/org%2Fup${rest} HTTP/1.1`,
    'Host: localhost',
    'Content-Type: application/octet-stream',
    'Content-Length: 1000',
  ];
  await new Promise<void>((resolve) => socket.write(`${lines.join('\r\n')}\r\n\r\nhalf`, () => resolve()));
  socket.destroy();
  await expect.poll(served.stderr).toMatch(/"level":40,.*"code":"INTERRUPTED",.*the client disconnected/);
  expect(served.stderr()).not.toContain('"level":50');
});

longTest('an interruption loses only the pieces in transfer, of the sender and of the store', async () => {
  const { served, proxy, env, source, serve } = await twoMachines(startServe, filesOf(3));
  hideHost(proxy);
  let pieces = 0;
  const upload = startSkulk(['add', source, '--as', 'org/up'], { env });
  proxy.onRequest((line) => {
    if (!/^PUT .*\/[0-9a-f]{64}\//.test(line)) return;
    pieces += 1;
    // Four are sent at a time, so with the fifth one a first one was answered.
    if (pieces === 5) upload.child.kill('SIGKILL');
  });
  await upload.exited;
  proxy.onRequest(undefined);
  expect(await (await fetch(`${served.url}/models`)).json()).toEqual([]);
  await served.kill();
  const again = await serve();
  onTestFinished(() => again[Symbol.asyncDispose]());
  proxy.setTarget(again.url);
  const before = sentPieces(proxy.requests);
  const ended = await runInProcess(['add', source, '--as', 'org/up'], { env });
  expect(ended.status, ended.stderr).toBe(0);
  expect(sentPieces(proxy.requests) - before).toBeLessThanOrEqual(5);
  expect(await digestsBelow(join(again.storePath, 'org--up'))).toEqual(await digestsBelow(source));
});

longTest('the user who interrupts an add gets a command that removes the sent data, and the command works', async () => {
  const { served, proxy, env, source } = await twoMachines(serveInProcess);
  hideHost(proxy);
  const upload = startSkulk(['add', source, '--as', 'org/up'], { env });
  let pieces = 0;
  proxy.onRequest((line) => {
    if (!/^PUT .*\/[0-9a-f]{64}\//.test(line)) return;
    pieces += 1;
    if (pieces === 2) upload.child.kill('SIGINT');
  });
  const { status, stderr } = await upload.exited;
  proxy.onRequest(undefined);
  expect(status, stderr).toBe(130);
  const [, id = ''] = /skulk uploads --cancel ([0-9a-f]{32})/.exec(stderr) ?? [];
  expect(id, stderr).not.toBe('');
  expect(await readdir(join(served.storePath, '.skulk', 'v1', 'uploads'))).toHaveLength(1);
  expect(await runInProcess(['uploads', '--cancel', id], { env })).toMatchObject({ status: 0 });
  expect(await readdir(join(served.storePath, '.skulk', 'v1', 'uploads'))).toEqual([]);
});

longTest('several machines that send the same model all succeed', async () => {
  const { served, source, env, proxy, home } = await twoMachines(serveInProcess);
  hideHost(proxy);
  const random = seededRandom(testSeed);
  for (let round = 0; round < rounds({ few: 1, many: 6 }); round += 1) {
    const model = `org/up-${round}`;
    const add = () => startSkulk(['add', source, '--as', model, '--json'], { env: { ...env, SKULK_HOME: join(home, `node-${round}`) } });
    const [killed, ...others] = [add(), add(), add()];
    const pieces = Math.floor(random() * 5);
    let seen = 0;
    proxy.onRequest((line) => {
      if (!line.startsWith('PUT ') || !line.includes(`up-${round}/`)) return;
      seen += 1;
      if (seen === pieces) killed?.child.kill('SIGKILL');
    });
    const ends = await Promise.all(others.map(({ exited }) => exited));
    for (const { status, stderr } of ends) expect(status, `SKULK_TEST_SEED=${testSeed}, round ${round}: ${stderr}`).toBe(0);
    await killed?.exited;
    expect(await digestsBelow(join(served.storePath, `org--up-${round}`))).toEqual(await digestsBelow(source));
  }
  expect(await readdir(join(served.storePath, '.skulk', 'v1', 'uploads'))).toEqual([]);
  expect(served.stderr()).not.toMatch(/unexpected error/);
});

test('a hostile upload is refused, and leaves no files', async () => {
  const { served } = await twoMachines(serveInProcess);
  const put = (path: string, body: string | Uint8Array, type = 'application/json'): Promise<Response> =>
    fetch(`${served.url}${path}`, { method: 'PUT', headers: { 'Content-Type': type }, body: body as string });
  for (const manifest of ['{}', '[]', 'null', '{"version":1,"model_id":"org/up","files":[{"path":"../x"}]}', '"x"']) {
    expect((await put('/uploads/org%2Fup', manifest)).status, manifest).toBe(400);
  }
  expect((await put('/uploads/..%2Fup', '{}')).status).toBe(400);
  const digest = 'a'.repeat(64);
  expect((await put(`/uploads/org%2Fup/${digest}/0/0`, Buffer.alloc(10), 'application/octet-stream')).status).toBe(404);
  expect((await put('/uploads/org%2Fup/xyz/0/0', Buffer.alloc(10), 'application/octet-stream')).status).toBe(400);
  expect((await put(`/uploads/org%2Fup/${digest}/-1/0`, Buffer.alloc(10), 'application/octet-stream')).status).toBe(400);
  const complete = await fetch(`${served.url}/uploads/org%2Fup/${digest}/complete`, { method: 'POST' });
  expect(await outcomeOf(complete)).toEqual({ code: 'JOB_NOT_FOUND' });
  expect(await (await fetch(`${served.url}/models`)).json()).toEqual([]);
});

longTest('a sender on a connection that closes learns that its upload is unknown, after its whole piece', async () => {
  const { proxy } = await twoMachines(serveInProcess);
  const headers = { 'Content-Type': 'application/octet-stream' };
  for (let round = 0; round < 5; round += 1) {
    const target = `/uploads/org%2Fup/${'a'.repeat(64)}/0/0`;
    const { status, json } = await ask(proxy.url, target, { method: 'PUT', headers, body: noise(chunkSize, 3) });
    expect([status, json()]).toMatchObject([404, { code: 'JOB_NOT_FOUND' }]);
  }
});

longTest('a connection that breaks during the completion of an upload does not end the command', async () => {
  const { proxy, add, served } = await twoMachines(serveInProcess);
  hideHost(proxy);
  let restarted: Promise<void> | undefined;
  proxy.onRequest((line) => {
    if (/^POST .*\/complete/.test(line)) restarted ??= proxy.stop().then(() => proxy.start());
  });
  expect(await add()).toMatchObject({ status: 0 });
  expect(restarted).toBeDefined();
  expect(await (await fetch(`${served.url}/models`)).json()).toEqual(['org/up']);
});

test('a piece that differs from the manifest is not accepted', async () => {
  const { served } = await twoMachines(serveInProcess);
  const { makeManifest } = await import('../../src/core/catalog/manifest.ts');
  const { createHash } = await import('node:crypto');
  const bytes = noise(1000, 4);
  const file = { path: 'x.bin', size: 1000, sha256: createHash('sha256').update(bytes).digest('hex') };
  const manifest = makeManifest('org/evil' as never, [file as never], { source: 'add', createdAt: new Date() });
  const send = (path: string, body: string | Uint8Array, type: string, method = 'PUT'): Promise<Response> =>
    fetch(`${served.url}/uploads/org%2Fevil${path}`, { method, headers: { 'Content-Type': type }, body: body as string });
  const complete = async (): Promise<unknown> => outcomeOf(await send(`/${manifest.digest}/complete`, '', 'application/json', 'POST'));
  const begun = await send('', JSON.stringify(manifest), 'application/json');
  expect(await begun.json()).toMatchObject({ missing: [[0, 0]] });
  const octets = 'application/octet-stream';
  expect((await send(`/${manifest.digest}/0/0`, noise(1000, 5), octets)).status).toBe(500);
  expect((await send(`/${manifest.digest}/0/0`, noise(2000, 5), octets)).status).toBe(500);
  expect((await send(`/${manifest.digest}/0/16777216`, bytes, octets)).status).toBe(400);
  expect(await complete()).toEqual({ code: 'CONFLICT' });
  expect((await send(`/${manifest.digest}/0/0`, bytes, octets)).status).toBe(204);
  // Right content stays, regardless of later data, before or after the end.
  expect((await send(`/${manifest.digest}/0/0`, noise(1000, 6), octets)).status).toBe(204);
  expect(await (await fetch(`${served.url}/models`)).json()).toEqual([]);
  expect(await complete()).toMatchObject({ entry: { model_id: 'org/evil' } });
  expect(await (await fetch(`${served.url}/models`)).json()).toEqual(['org/evil']);
  expect((await send(`/${manifest.digest}/0/0`, noise(1000, 7), octets)).status).toBe(204);
  expect(await complete()).toMatchObject({ entry: { model_id: 'org/evil' } });
  expect((await readFile(join(served.storePath, 'org--evil', 'x.bin'))).equals(bytes)).toBe(true);
});

/** The host's lock is hidden, because another machine could not read that lock either. */
function hideHost(proxy: { setHealth: (change: (health: Record<string, unknown>) => Record<string, unknown>) => void }): void {
  proxy.setHealth((health) => ({ ...health, store_path: '/on/another/machine' }));
}
