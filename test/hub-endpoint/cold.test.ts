import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { until, within } from '../helpers/waiting.ts';

const weights = noise(11 * 1024 * 1024, 7);
const files = { 'config.json': '{"a":1}', 'empty.txt': '', 'model.safetensors': weights };
const path = (file: string, revision = 'main'): string => `/org/m/resolve/${revision}/${file}`;
const auth = { Authorization: 'Bearer hf_of_the_client' };

usualTest('a model that nobody downloaded is served on both ports, and the token of the client is not forwarded', async () => {
  const world = await hubWorld({ HF_TOKEN: 'hf_of_the_owner' });
  world.hub.tokens.add('hf_of_the_owner');
  const commit = world.hub.push('org/m', { files });
  const host = await world.serve();
  const node = await serveInProcess({ home: join(world.home, 'node'), env: { SKULK_STORE: host.url } });
  for (const url of [host.url, host.apiUrl, node.apiUrl]) {
    const info = await ask(url, '/api/models/org/m/revision/main', { headers: auth });
    expect(info.json()).toMatchObject({ id: 'org/m', sha: commit, siblings: expect.arrayContaining([{ rfilename: 'model.safetensors' }]) });
    const head = await ask(url, path('model.safetensors'), { method: 'HEAD', headers: auth });
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': String(weights.length), etag: `"${sha256(weights)}"` } });
  }
  expect(world.hub.requests.filter((one) => one.startsWith('GET cdn'))).toEqual([]);
  expect(await ask(node.apiUrl, path('config.json'), { headers: auth })).toMatchObject({
    status: 200,
    headers: { 'x-repo-commit': commit },
  });
  expect((await ask(node.apiUrl, path('empty.txt'))).status).toBe(200);
  const answers = await Promise.all([host.url, node.apiUrl].map((url) => ask(url, path('model.safetensors', commit), { headers: auth })));
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(sha256(body)).toBe(sha256(weights));
  }
  expect(world.hub.sent('model.safetensors')).toBe(weights.length);
  await until('the model in the store', async () => ((await ask(host.url, '/models')).json() as string[]).includes('org/m'));
  const range = await ask(host.url, path('model.safetensors'), { headers: { Range: 'bytes=5-9' } });
  expect(range).toMatchObject({ status: 206, body: weights.subarray(5, 10) });
  expect(host.stderr()).not.toContain('hf_of_the_client');
  expect(host.stderr()).not.toContain('hf_of_the_owner');
});

usualTest('nothing is fetched for a read-only LAN, a browser or a page of another site', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files });
  const host = await world.serveInProcess();
  const refused = async (headers: Record<string, string>): Promise<number> =>
    (await ask(host.url, path('config.json'), { headers })).status;
  expect(await refused({ 'User-Agent': 'Mozilla/5.0 (X11)' })).toBe(404);
  expect(await refused({ Origin: 'https://evil.example' })).toBe(404);
  expect(await world.host('policy', 'set', 'lan', 'read')).toMatchObject({ status: 0 });
  // A request before the policy is applied would cause a fetch.
  await until('the policy', async () => ((await ask(host.url, '/session')).json() as { lan?: string }).lan === 'read');
  expect(await refused({})).toBe(404);
  const says = async (): Promise<unknown> => ((await ask(host.url, path('config.json'))).json() as { error?: string }).error;
  expect(await says()).toMatch(/may not start a download/);
  expect(await world.host('policy', 'set', 'hub.upstream', 'off')).toMatchObject({ status: 0 });
  expect(await world.host('policy', 'set', 'lan', 'node')).toMatchObject({ status: 0 });
  await until('the policy', async () => !/may not start a download/.test(String(await says())));
  expect(world.hub.requests).toEqual([]);
  expect(await world.host('policy', 'set', 'hub.upstream', 'on-demand')).toMatchObject({ status: 0 });
  await until('the policy', async () => (await refused({})) === 200);
  expect(await world.host('policy', 'set', 'hub.cors_origins', 'https://chat.example')).toMatchObject({ status: 0 });
  await until('the policy', async () => (await refused({ Origin: 'https://chat.example', 'User-Agent': 'Mozilla/5.0' })) === 200);
});

longTest('a server that is killed during a fetch resumes with its data, and never serves a partial file', async () => {
  const world = await hubWorld();
  world.hub.push('org/m', { files: { ...files, 'notes.txt': noise(9 * 1024 * 1024, 3) } });
  const notes = noise(9 * 1024 * 1024, 3);
  const half = 5 * 1024 * 1024;
  const ranges: (string | undefined)[] = [];
  world.hub.fault = ({ path: name, host, request, response }) => {
    if (name !== 'notes.txt' || host !== 'cdn') return false;
    ranges.push(request.headers.range);
    if (ranges.length > 1) return false;
    response.writeHead(200, { 'Content-Length': String(notes.length) }).write(notes.subarray(0, half));
    return true;
  };
  const first = await world.serve();
  const leaving = new AbortController();
  const answer = await within('the answer', fetch(`${first.url}${path('notes.txt')}`, { signal: leaving.signal }));
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  let got = 0;
  while (got < half) got += (await within('bytes', reader.read())).value?.length ?? 0;
  const journal = join(world.storePath, '.skulk/v1/on-demand/org--m/journal');
  const { readFile } = await import('node:fs/promises');
  await until('noted blocks', async () => (await readFile(journal, 'utf8').catch(() => '')).trim().split('\n').length >= 5);
  await first.kill();
  await within(
    'the end of the reader',
    reader.closed.catch(() => undefined),
  );
  expect(await readdir(world.storePath)).not.toContain('org--m');
  const second = await world.serve();
  const whole = await within('the next answer', ask(second.url, path('notes.txt')));
  expect(sha256(whole.body)).toBe(sha256(notes));
  expect(ranges[1]).toBe(`bytes=${half}-${notes.length - 1}`);
  leaving.abort();
});
