import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { createAccess } from '../../src/core/server/access/access.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import { directoryStore } from '../helpers/directory-store.ts';
import { ask } from '../helpers/raw-http.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

async function serve(token?: string) {
  const store = await directoryStore({ 'org/m': { a: 'a' } });
  const app = await createStoreApp({
    store,
    version: '1',
    access: createAccess({ token }),
    names: ['Kite3', 'store.example.org'],
    logLevel: 'silent',
  });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await stopApp(app, { graceMs: 10 });
    await store[Symbol.asyncDispose]();
  });
  return { url, store, host: new URL(url).host };
}

describe('a server without a token', () => {
  test.each([
    '127.0.0.1',
    '127.0.0.1:58080',
    '[::1]:58080',
    '192.168.1.10',
    'localhost:1',
    'kite3',
    'KITE3.local:58080',
    'kite3.',
    'nas',
    'nas.lan',
    'store.example.org:58080',
    'STORE.example.org.',
  ])('accepts the host name %s', async (Host) => {
    const { url } = await serve();
    expect((await ask(url, '/models', { headers: { Host } })).status).toBe(200);
  });

  test.each([
    'evil.example',
    'evil.example:58080',
    'kite3.evil.example',
    '127.0.0.1.evil.example',
    'store.example.org.evil.example',
    'evil.example.',
    '[evil.example]',
    '127.0.0.1@evil.example',
  ])('refuses the host name %s for every request', async (Host) => {
    const { url, store } = await serve();
    for (const [method, path] of [
      ['GET', '/health'],
      ['GET', '/models'],
      ['GET', '/models/org%2Fm/a'],
      ['DELETE', '/models/org%2Fm'],
    ] as const) {
      const answer = await ask(url, path, { method, headers: { Host } });
      expect([answer.status, (answer.json() as { code: string }).code], path).toEqual([403, 'FORBIDDEN']);
    }
    expect(await store.has(parseModelId('org/m'))).toBe(true);
  });

  test.each([
    [{ 'Sec-Fetch-Site': 'cross-site' }],
    [{ 'Sec-Fetch-Site': 'same-site' }],
    [{ Origin: 'http://evil.example' }],
    [{ Origin: 'null' }],
    [{ Origin: 'https://127.0.0.1' }],
    [{ 'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil.example' }],
  ])('lets a page with %j read, but not change anything', async (headers) => {
    const { url, store } = await serve();
    for (const method of ['DELETE', 'POST'] as const) {
      const path = method === 'DELETE' ? '/models/org%2Fm' : '/verify';
      expect((await ask(url, path, { method, headers, body: method === 'POST' ? '{}' : '' })).status).toBe(403);
    }
    expect(await store.has(parseModelId('org/m'))).toBe(true);
    expect((await ask(url, '/models', { headers })).status).toBe(200);
  });

  test('lets its own page, and programs, change models', async () => {
    const { url, store, host } = await serve();
    const headers = { Host: host, Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' };
    expect((await ask(url, '/models/org%2Fm', { method: 'DELETE', headers })).status).toBe(200);
    expect(await store.has(parseModelId('org/m')).catch(() => false)).toBe(false);
  });
});

test('a server with a token accepts any host name with the token, and refuses requests without it', async () => {
  const { url } = await serve('secret');
  expect((await ask(url, '/models', { headers: { Host: 'evil.example' } })).status).toBe(401);
  expect((await ask(url, '/models', { headers: { Host: 'any.example', Authorization: 'Bearer secret' } })).status).toBe(200);
});

test('a command that used an unknown host name gets an explanation', async () => {
  const home = await temporaryDirectory();
  const { url } = await serve();
  const proxy = createServer((request, response) => {
    void ask(url, request.url ?? '/', { headers: { Host: 'alias.example' } }).then(({ status, body }) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(body),
    );
  });
  await new Promise<void>((listening) => void proxy.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void proxy.close());
  const { port } = proxy.address() as { port: number };
  const ended = await runSkulk(['registry'], { env: { SKULK_HOME: home, SKULK_STORE: `http://127.0.0.1:${port}` } });
  expect(ended).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(/alias.example is not a name of this machine[\s\S]*server_names/),
  });
});
