import { access, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow, noise } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until, within } from '../helpers/waiting.ts';

const mebibyte = 1024 * 1024;
const files = {
  'config.json': '{"model_type":"llama"}',
  'model-00001-of-00002.safetensors': noise(17 * mebibyte + 7, 1),
  'model-00002-of-00002.safetensors': noise(300_000, 2),
  'notes/emoji 🦨 #1?.txt': 'a note\n',
  'notes/100%.txt': 'a per cent\n',
  'notes/empty.txt': '',
};
/** The same without the large file, for tests that are not about chunks. */
const { 'model-00001-of-00002.safetensors': _large, ...small } = files;
const ask = async (url: string, body?: object): Promise<Record<string, unknown>> => {
  const init = body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  return (await (await fetch(`${url}/models/org%2Fm/download`, { method: 'POST', ...init })).json()) as Record<string, unknown>;
};

usualTest('a downloaded model is verified and registered, and can be staged', async () => {
  const world = await hubWorld();
  const commit = world.hub.push('org/m', { files });
  const served = await world.serveInProcess();
  const { status, stdout, stderr } = await world.host('download', 'org/m', '--json');
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ modelId: 'org/m', status: 'complete', progress: 1, commit });
  for (const [path, content] of Object.entries(files)) {
    expect((await readFile(join(world.storePath, 'org--m', path))).equals(Buffer.from(content)), path).toBe(true);
    expect(world.hub.sent(path), path).toBe(Buffer.from(content).length);
  }
  const shown = JSON.parse((await world.host('show', 'org/m', '--json')).stdout);
  expect(shown).toMatchObject({ source: 'hub', commit, revision: 'main', hashed: true });
  const staged = await world.nodeInProcess(served, 'node', 'stage', 'org/m');
  expect(staged.status, staged.stderr).toBe(0);
  expect(await digestsBelow(staged.stdout.trim())).toEqual(await digestsBelow(join(world.storePath, 'org--m')));
  // A finished model is complete, and no request goes to the Hub.
  const before = world.hub.requests.length;
  expect(await ask(served.url)).toMatchObject({ modelId: 'org/m', status: 'complete', progress: 1 });
  expect(world.hub.requests.length).toBe(before);
  const api = await fetch(`${served.apiUrl}/store/models/org/m/download/status`);
  expect(await api.json()).toMatchObject({ modelId: 'org/m', status: 'complete', error: null });
  expect(await (await fetch(`${served.apiUrl}/store/downloads`)).json()).toEqual({ downloads: [] });
});

longTest('a download works on the disk without a server, and all pages of a file list are read', async () => {
  const world = await hubWorld();
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`part/${index} of 200.txt`, `file ${index}`]));
  world.hub.push('org/many', { files: { ...many, 'config.json': '{}' } });
  const { status, stderr } = await world.host('download', 'org/many');
  expect(status, stderr).toBe(0);
  expect((await readdir(join(world.storePath, 'org--many', 'part'))).length).toBe(200);
  expect(world.hub.requests.filter((line) => line.includes('/tree/')).length).toBeGreaterThan(3);
  expect((await world.host('verify')).status).toBe(0);
  expect(await world.host('download', 'org/many', '--no-wait')).toMatchObject({ status: 2 });
});

longTest('a second request joins a running download, a delete is refused, and a cancel keeps the received bytes', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  // The first chunk of the large file is sent, the rest waits.
  const gate = Promise.withResolvers<void>();
  world.hub.fault = async ({ path, request }) => {
    if (path === 'model-00001-of-00002.safetensors' && request.headers.range?.startsWith('bytes=16777216-') === true) await gate.promise;
    return false;
  };
  const served = await world.serveInProcess();
  const running = world.startHost('download', 'org/m');
  await world.hub.passed(16 * mebibyte + 300_000);
  const bytesDone = async () => ((await (await fetch(`${served.url}/downloads`)).json()) as { bytes_done: number }[])[0]?.bytes_done;
  await expect.poll(bytesDone).toBe(16 * mebibyte + 300_040);
  expect(await ask(served.url)).toMatchObject({ status: 'downloading' });
  expect(await ask(served.url, { revision: 'v2' })).toMatchObject({ code: 'CONFLICT' });
  const list = (await (await fetch(`${served.url}/downloads`)).json()) as { bytes_total: number; bytes_done: number }[];
  expect(list).toMatchObject([{ modelId: 'org/m', status: 'downloading', bytes_total: 17 * mebibyte + 7 + 300_000 + 22 + 7 + 11 }]);
  expect(list[0]?.bytes_done).toBeGreaterThan(mebibyte);
  expect((await fetch(`${served.url}/models/org%2Fm`, { method: 'DELETE' })).status).toBe(409);
  const cancelled = await world.host('cancel', 'org/m', '--json');
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ status: 'failed', error_code: 'CANCELLED' });
  expect(await running.exited).toMatchObject({ status: 5 });
  const again = await world.host('cancel', 'org/m');
  expect(again).toMatchObject({ status: 5, stderr: expect.stringContaining('`skulk downloads --clear`') });
  expect((await world.host('cancel', 'org/other')).status).toBe(3);
  // Two names are refused: they must not clear everything.
  const two = await fetch(`${served.url}/downloads?model_id=org%2Fm&model_id=org%2Fn`, { method: 'DELETE' });
  expect(two.status).toBe(400);
  // Only the row goes, and the next try has the data.
  expect((await world.host('downloads', '--clear', 'org/other')).stdout).toContain('nothing was removed');
  expect((await world.host('downloads', '--clear', 'org/m')).stdout).toBe('removed 1 download from the list\n');
  expect((await world.host('downloads', '--clear')).status).toBe(0);
  expect(JSON.parse((await world.host('downloads', '--json')).stdout)).toEqual({ downloads: [] });
  const log = JSON.parse((await world.host('audit', '--json')).stdout) as { entries: object[] };
  const clears = log.entries.filter((entry) => 'action' in entry && entry.action === 'clear-downloads');
  // A clear that removed nothing is not in the log.
  expect(clears).toMatchObject([{ model_id: 'org/m', code: null }, { code: 'BAD_REQUEST' }]);
  gate.resolve();
  const before = world.hub.sent('model-00001-of-00002.safetensors');
  expect((await world.host('download', 'org/m')).status).toBe(0);
  // The chunks that were whole are not sent again.
  expect(world.hub.sent('model-00001-of-00002.safetensors') - before).toBeLessThan(16 * mebibyte);
  expect((await world.host('verify', 'org/m')).status).toBe(0);
});

longTest('a killed download without a server resumes with the next request, and a running one is not disturbed', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const gate = Promise.withResolvers<void>();
  world.hub.fault = async ({ path }) => {
    if (path === 'model-00001-of-00002.safetensors') await gate.promise;
    return false;
  };
  const killed = world.startHost('download', 'org/m');
  const asked = () => world.hub.requests.some((line) => line.includes('model-00001'));
  await until('the first request for the large file', asked, killed.stderr);
  for (const verb of ['download', 'cancel']) {
    const refused = await within(`a second ${verb}`, world.host(verb, 'org/m'));
    expect(refused, verb).toMatchObject({ status: 5 });
    expect(refused.stderr, verb).toContain(`pid ${killed.pid}`);
  }
  killed.child.kill('SIGKILL');
  await killed.exited;
  const { downloads } = JSON.parse((await world.host('downloads', '--json')).stdout) as { downloads: object[] };
  expect(downloads).toMatchObject([{ modelId: 'org/m', status: 'downloading' }]);
  gate.resolve();
  const again = await within('the second try', world.host('download', 'org/m'));
  expect(again.status, again.stderr).toBe(0);
  expect((await world.host('verify', 'org/m')).status).toBe(0);
});

longTest('another revision downloads only changed files, and replaces the model at once', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const served = await world.serveInProcess();
  expect((await world.host('download', 'org/m')).status).toBe(0);
  const changed = { ...files, 'model-00002-of-00002.safetensors': noise(300_000, 3) };
  const { 'notes/empty.txt': _, ...fewer } = changed;
  const commit = world.hub.push('org/m', { files: fewer });
  const before = world.hub.sent('model-00001-of-00002.safetensors');
  expect((await world.host('download', 'org/m', '--revision', 'main')).status).toBe(0);
  expect(world.hub.sent('model-00001-of-00002.safetensors')).toBe(before);
  expect(world.hub.sent('model-00002-of-00002.safetensors')).toBe(600_000);
  expect(JSON.parse((await world.host('show', 'org/m', '--json')).stdout)).toMatchObject({ commit });
  expect((await readdir(join(world.storePath, 'org--m', 'notes'))).length).toBe(2);
  expect((await world.host('verify')).status).toBe(0);
  const staged = await world.nodeInProcess(served, 'node', 'stage', `org/m@${commit}`);
  expect(staged.status, staged.stderr).toBe(0);
});

longTest('a commit that changes during a download does not mix two revisions', async () => {
  const world = await hubWorld();
  const commit = world.hub.push('org/m', { files });
  await world.serveInProcess();
  world.hub.fault = ({ number, path }) => {
    if (path === 'model-00001-of-00002.safetensors' && number === 1) world.hub.push('org/m', { files: { 'config.json': '{"other":1}' } });
    return false;
  };
  const { stdout } = await world.host('download', 'org/m', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ status: 'complete', commit });
  expect(await readFile(join(world.storePath, 'org--m', 'config.json'), 'utf8')).toBe(files['config.json']);
});

usualTest('a download survives broken connections, rate limits, server errors, whole answers to ranges and stalls', async () => {
  const world = await hubWorld({ SKULK_STALL_TIMEOUT: '1' });
  world.hub.push('org/m', { files });
  await world.serveInProcess();
  const seen = new Set<string>();
  world.hub.fault = ({ host, number, path, request, response }) => {
    const once = (what: string): boolean => {
      if (seen.has(what)) return false;
      seen.add(what);
      return true;
    };
    if (host !== 'cdn' || path !== 'model-00001-of-00002.safetensors') return false;
    if (number % 7 === 1 && once('429')) response.writeHead(429, { 'Retry-After': '1', 'Content-Length': '0' }).end();
    else if (once('500')) response.writeHead(500, { 'Content-Length': '0' }).end();
    else if (once('cut')) {
      response.writeHead(206, {
        'Content-Range': `bytes ${request.headers.range?.slice(6)}/${17 * mebibyte + 7}`,
        'Content-Length': '100',
      });
      response.write('12345', () => response.socket?.destroy());
    } else if (once('stall')) {
      response.writeHead(206, { 'Content-Range': `bytes ${request.headers.range?.slice(6)}/${17 * mebibyte + 7}` });
      response.flushHeaders();
    } else if (once('200')) response.writeHead(200).end(noise(17 * mebibyte + 7, 9));
    else if (once('other range')) response.writeHead(206, { 'Content-Range': `bytes 5-6/${17 * mebibyte + 7}` }).end('ab');
    else return false;
    return true;
  };
  const { status, stderr } = await world.host('download', 'org/m');
  expect(status, stderr).toBe(0);
  expect(seen.size).toBe(6);
  expect(
    (await readFile(join(world.storePath, 'org--m', 'model-00001-of-00002.safetensors'))).equals(files['model-00001-of-00002.safetensors']),
  ).toBe(true);
});

usualTest.each([
  ['an LFS file', 'model-00002-of-00002.safetensors', noise(300_000, 77)],
  ['a git file', 'config.json', '{"model_type":"lIama"}'],
] as const)('wrong content of %s is fetched once more, then the download fails and nothing is registered', async (_, path, wrong) => {
  const world = await hubWorld();
  world.hub.push('org/m', { files: small });
  const served = await world.serveInProcess();
  let times = 0;
  const corrupt = (until: number): void => {
    world.hub.fault = ({ host, path: asked, response }) => {
      if (asked !== path || (host === 'hub' && path !== 'config.json')) return false;
      times += 1;
      if (times > until) return false;
      response.writeHead(200, { 'Content-Length': String(Buffer.byteLength(wrong)) }).end(wrong);
      return true;
    };
  };
  corrupt(99);
  const failed = await world.host('download', 'org/m');
  expect(failed).toMatchObject({ status: 6 });
  expect(failed.stderr).toContain(path);
  expect(times).toBe(2);
  expect(await (await fetch(`${served.url}/models`)).json()).toEqual([]);
  expect(
    await access(join(world.storePath, 'org--m')).then(
      () => true,
      () => false,
    ),
  ).toBe(false);
  times = 0;
  corrupt(1);
  expect((await world.host('download', 'org/m')).status).toBe(0);
  expect((await world.host('verify')).status).toBe(0);
});

usualTest('each refusal of the Hub has its own message and the right exit status', async () => {
  const world = await hubWorld();
  world.hub.push('org/gated', { files: small, gated: true });
  world.hub.push('org/private', { files: small, private: true });
  world.hub.push('org/m', { files: small });
  const said = new Set<string>();
  const refused = async (args: readonly string[], status: number): Promise<void> => {
    const ended = await world.host('download', ...args);
    expect(ended.status, ended.stderr).toBe(status);
    expect(ended.stderr).toMatch(/hint: /);
    said.add(ended.stderr.replace(/^.*downloaded: /s, ''));
  };
  await refused(['org/gated'], 8);
  await refused(['org/private'], 3);
  await refused(['org/missing'], 3);
  await refused(['org/m', '--revision', 'v9'], 3);
  expect(said.size).toBe(4);
  let limits = 1;
  world.hub.apiFault = (_, response) => {
    limits -= 1;
    if (limits < 0) return false;
    response.writeHead(429, { RateLimit: '"api";r=0;t=1', 'Content-Length': '0' }).end();
    return true;
  };
  expect((await world.host('download', 'org/m')).status).toBe(0);
  expect(limits).toBeLessThan(0);
});

usualTest('a download that fails at once does not create a store on a machine without one', async () => {
  const world = await hubWorld();
  world.hub.push('org/gated', { files: small, gated: true });
  world.hub.push('org/m', { files: small });
  const home = await temporaryDirectory();
  const download = (...args: readonly string[]) =>
    runInProcess(['download', ...args], { env: { SKULK_HOME: join(home, 'own'), HF_ENDPOINT: world.hub.url, HF_HOME: join(home, 'hf') } });
  expect(await download('org/missing')).toMatchObject({ status: 3, stderr: expect.stringContaining('could not download org/missing') });
  expect(await download('org/gated')).toMatchObject({ status: 8, stderr: expect.stringContaining('gated') });
  expect(await download('org/m', '--include', 'none*')).toMatchObject({ status: 3 });
  expect(await download('org/m', '--no-wait')).toMatchObject({ status: 2 });
  await expect(access(join(home, 'own', 'store'))).rejects.toThrow();
  expect(await download('org/m')).toMatchObject({ status: 0, stderr: expect.stringContaining('no store was found') });
  expect(await readdir(join(home, 'own', 'store'))).toContain('org--m');
});

usualTest('a token is sent only to the Hub, and no output contains it', async () => {
  const token = 'hf_secretSecretSecret';
  const world = await hubWorld({ HF_TOKEN: token });
  world.hub.tokens.add(token);
  world.hub.push('org/m', { files: small, gated: true });
  const served = await world.serve();
  expect((await world.host('download', 'org/m', '--verbose')).stderr).not.toContain(token);
  expect(served.running.stderr() + served.running.stdout()).not.toContain(token);
  const shown = await world.host('config', 'show', '--json');
  expect(shown.stdout).not.toContain(token);
  for (const directory of ['jobs', 'manifests', 'downloads']) {
    for (const name of await readdir(join(world.storePath, '.skulk', 'v1', directory), { recursive: true }))
      expect(await readFile(join(world.storePath, '.skulk', 'v1', directory, name), 'utf8').catch(() => '')).not.toContain(token);
  }
  const wrong = await hubWorld({ HF_TOKEN: 'hf_wrong' });
  wrong.hub.push('org/m', { files: small });
  const refused = await wrong.host('download', 'org/m');
  expect(refused).toMatchObject({ status: 8 });
  expect(refused.stderr).toContain('does not accept the token');
  expect(refused.stderr).not.toContain('hf_wrong');
});

usualTest('the token file of the other tools is used', async () => {
  const world = await hubWorld();
  world.hub.tokens.add('hf_fromFile');
  world.hub.push('org/m', { files: small, private: true });
  const { mkdir, writeFile } = await import('node:fs/promises');
  await mkdir(join(world.home, 'hf'));
  await writeFile(join(world.home, 'hf', 'token'), 'hf_fromFile\n');
  expect((await world.host('download', 'org/m')).status).toBe(0);
});

longTest('a proxy is used unless NO_PROXY says otherwise', async () => {
  const asked: string[] = [];
  const world = await hubWorld();
  world.hub.push('org/m', { files: { 'config.json': '{}' } });
  const proxy = createServer(async (request, response) => {
    asked.push(request.url ?? '');
    const { host: _, 'proxy-connection': __, connection: ___, ...headers } = request.headers as Record<string, string>;
    const answer = await fetch(request.url ?? '', { headers });
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const through = await hubWorld({ HF_ENDPOINT: world.hub.url, HTTP_PROXY: url });
  expect((await through.host('download', 'org/m')).status).toBe(0);
  expect(asked.length).toBeGreaterThan(2);
  const past = await hubWorld({ HF_ENDPOINT: world.hub.url, HTTP_PROXY: url, NO_PROXY: '127.0.0.1' });
  const before = asked.length;
  expect((await past.host('download', 'org/m')).status).toBe(0);
  expect(asked.length).toBe(before);
});

longTest('two downloads run at a time, and the rest wait in order', async () => {
  const world = await hubWorld();
  const ids = ['a', 'b', 'c', 'd'].map((name) => `org/${name}`);
  for (const id of ids) world.hub.push(id, { files: { [`${id.slice(4)}.safetensors`]: noise(4 * mebibyte, 5) } });
  const gate = Promise.withResolvers<void>();
  world.hub.fault = async () => {
    await gate.promise;
    return false;
  };
  const served = await world.serveInProcess();
  for (const id of ids) expect((await world.host('download', id, '--no-wait')).status).toBe(0);
  const states = ((await (await fetch(`${served.url}/downloads`)).json()) as { modelId: string; status: string }[]).map(
    ({ modelId, status }) => [modelId, status],
  );
  expect(states).toEqual([
    ['org/a', 'downloading'],
    ['org/b', 'downloading'],
    ['org/c', 'pending'],
    ['org/d', 'pending'],
  ]);
  expect((await world.host('cancel', 'org/c')).status).toBe(0);
  gate.resolve();
  expect((await world.host('download', 'org/d')).status).toBe(0);
  const after = JSON.parse((await world.host('downloads', '--json')).stdout) as { downloads: { modelId: string; status: string }[] };
  expect(after.downloads.map(({ modelId, status }) => [modelId, status])).toContainEqual(['org/c', 'failed']);
  expect(world.hub.sent('c.safetensors')).toBe(0);
});

usualTest('a model that was added by hand is not replaced', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const { mkdir, writeFile } = await import('node:fs/promises');
  await mkdir(join(world.home, 'own'));
  await writeFile(join(world.home, 'own', 'config.json'), '{"mine":true}');
  expect((await world.host('add', join(world.home, 'own'), '--as', 'org/m')).status).toBe(0);
  expect(await world.host('download', 'org/m', '--revision', 'main')).toMatchObject({ status: 5 });
  expect(await readFile(join(world.storePath, 'org--m', 'config.json'), 'utf8')).toBe('{"mine":true}');
});

usualTest.each([
  ['../evil.txt', 'a path that leads out'],
  ['.skulk.json', 'a name that is taken'],
])('a file list with %s is refused as a whole', async (path) => {
  const world = await hubWorld();
  world.hub.push('org/m', { files: { ...files, [path]: 'x' } });
  const refused = await world.host('download', 'org/m');
  expect(refused.status, refused.stderr).toBe(8);
  expect(await readdir(world.storePath).catch(() => [])).not.toContain('org--m');
});

usualTest('an invalid body of a download request is refused', async () => {
  const world = await hubWorld();
  const served = await world.serveInProcess();
  for (const body of [{ gguf_file: '../x.gguf' }, { gguf_file: 'x.bin' }, { revision: '../../x' }, { gguf_file: 7 }, { selector: 'a b' }]) {
    const response = await fetch(`${served.url}/models/org%2Fm/download`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status, JSON.stringify(body)).toBe(400);
  }
  expect((await fetch(`${served.url}/models/org%2Fm/download/status`)).status).toBe(404);
  expect(world.hub.requests).toEqual([]);
});
