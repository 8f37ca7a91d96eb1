import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type HubAsker, type HubBackend, HubRefusal, type HubRefusalKind, hubRefusals } from '../../src/core/endpoint/contract.ts';
import { createHostHub } from '../../src/core/endpoint/held/host-hub.ts';
import { createAccess } from '../../src/core/server/access/access.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';
import { atEnd } from '../helpers/at-end.ts';
import { directoryStore } from '../helpers/directory-store.ts';
import { hubAsker } from '../helpers/hub-answers.ts';
import { ask, talk } from '../helpers/raw-http.ts';
import { within } from '../helpers/waiting.ts';

const size = 300_000;
const content = Buffer.alloc(size, 7);

/** A server with a model, whose Hub is changed by the test; it records for whom files may be fetched. */
async function serve({
  lan = 'node' as 'node' | 'read' | 'none',
  origins = [] as readonly string[],
  change = (hub: HubBackend): Partial<HubBackend> => ({ open: hub.open }),
} = {}) {
  const store = await directoryStore({ 'org/m': { 'config.json': '{}', 'w.gguf': content } });
  const own = createHostHub({ store });
  const askers: HubAsker[] = [];
  const changed = { ...own, ...change(own) };
  const hub: HubBackend = {
    ...changed,
    repo: (ref, asker, signal) => {
      askers.push(asker);
      return changed.repo(ref, asker, signal);
    },
  };
  const log: string[] = [];
  const policy = async () => ({ lan, serverNames: [], hub: { corsOrigins: origins } });
  const access = createAccess({
    policy,
    findToken: async (token) => (token === 'skulk_read' ? { role: 'read', name: 'r' } : undefined),
  });
  const app = await createStoreApp({
    store,
    version: '1',
    access,
    hub,
    administration: { policy: { current: policy }, tokens: {} } as never,
    logLevel: 'debug',
    stream: { write: (line) => void log.push(line) },
  });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  atEnd(() => store[Symbol.asyncDispose]());
  atEnd(() => stopApp(app, { graceMs: 100 }));
  return { url, log, askers, get: hubAsker(url) };
}

const file = '/org/m/resolve/main/config.json';
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const foreign = { Origin: 'https://evil.example' };
const browser = { 'User-Agent': 'Mozilla/5.0 (X11) Firefox/140.0' };

describe('tokens that Hub clients send', () => {
  test.each(['read', 'node'] as const)('change nothing if they are unknown and the LAN may %s, and are not logged', async (lan) => {
    const { get, log, askers } = await serve({ lan });
    for (const token of ['hf_secretsecretsecret', 'other-secret', ''])
      expect((await get(file, { headers: bearer(token) })).status).toBe(200);
    await get('/api/models/org/none/tree/main', { headers: bearer('hf_secretsecretsecret') });
    await get('/api/repos/create', { method: 'POST', headers: bearer('hf_secretsecretsecret'), body: '{}' });
    expect(askers.map(({ mayFetch }) => mayFetch)).toEqual(askers.map(() => lan === 'node'));
    expect(log.join('')).toContain('/api/repos/create');
    expect(log.join('')).not.toMatch(/secret/);
  });

  test('are required when the LAN may not read, with the errors that huggingface_hub expects', async () => {
    const { url, get } = await serve({ lan: 'none' });
    for (const target of [file, '/api/models/org/m', '/api/whoami-v2', '/datasets/x/y', '/api/agent-harnesses']) {
      const none = await ask(url, target);
      expect([target, none.status, none.headers['www-authenticate']]).toEqual([target, 401, 'Bearer']);
      const wrong = await ask(url, target, { headers: bearer('hf_wrong') });
      expect(wrong.json()).toEqual({ error: 'Invalid credentials in Authorization header' });
      expect(wrong.headers['x-error-message']).toBe('Invalid credentials in Authorization header');
      expect(wrong.headers).not.toHaveProperty('x-error-code');
    }
    const { sha } = (await get('/api/models/org/m', { headers: bearer('skulk_read') })).json() as { sha: string };
    const answer = await get(file.replace('main', sha), { headers: bearer('skulk_read') });
    expect(answer.status).toBe(200);
    // A shared cache would serve a stored answer to clients without a token.
    expect(answer.headers['cache-control']).toBe('private, max-age=31536000, immutable');
  });

  test('are still refused by all other routes if they are wrong', async () => {
    const { url } = await serve();
    expect((await ask(url, '/registry', { headers: bearer('hf_wrong') })).status).toBe(401);
  });
});

describe('pages of other sites', () => {
  test.each([
    ['no page', {}, undefined],
    ['a page of another site', foreign, undefined],
    ['a page without an origin of its own', { Origin: 'null' }, undefined],
    ['what looks like this machine', { Origin: 'http://localhost.evil.example' }, undefined],
    ['what begins like this machine', { Origin: 'http://127.0.0.1.evil.example' }, undefined],
    ['another scheme', { Origin: 'file://localhost' }, undefined],
    ['a page of this machine', { Origin: 'http://localhost:5173' }, 'http://localhost:5173'],
    ['a page of this machine by its address', { Origin: 'http://127.0.0.1:8080' }, 'http://127.0.0.1:8080'],
    ['a listed page', { Origin: 'https://chat.example' }, 'https://chat.example'],
  ])('cannot read on a LAN that may read without a token: %s', async (_, headers, allowed) => {
    const { get } = await serve({ origins: ['https://chat.example'] });
    for (const request of [{}, { method: 'OPTIONS' }]) {
      const answer = await get(file, { ...request, headers });
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([request.method === undefined ? 200 : 204, allowed]);
      expect(answer.headers['vary']).toBe('Origin');
      if (allowed !== undefined) expect(answer.headers['access-control-expose-headers']).toContain('X-Linked-Etag');
    }
    const missing = await get('/org/m/resolve/main/none', { headers });
    expect([missing.status, missing.headers['access-control-allow-origin']]).toEqual([404, allowed]);
  });

  test('can read with a token, if the store needs one', async () => {
    const { get } = await serve({ lan: 'none' });
    const asked = await get(file, { method: 'OPTIONS', headers: { ...foreign, 'Access-Control-Request-Headers': 'authorization,range' } });
    expect([asked.status, asked.headers['access-control-allow-headers'], asked.body.length]).toEqual([
      204,
      'authorization,range,content-type',
      0,
    ]);
    expect((await get(file, { headers: { ...foreign, ...bearer('skulk_read') } })).headers['access-control-allow-origin']).toBe('*');
  });

  test('are refused under a foreign host name, also in a preflight request', async () => {
    const { url } = await serve();
    for (const method of ['GET', 'OPTIONS', 'HEAD']) {
      const answer = await ask(url, file, { method, headers: { Host: 'rebound.example' } });
      expect([method, answer.status, answer.headers['access-control-allow-origin']]).toEqual([method, 403, undefined]);
    }
  });

  test.each([
    ['a client', {}, true],
    ['a browser', browser, false],
    ['an image on any page', { ...browser, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }, false],
    ['a script of another page', { ...browser, ...foreign }, false],
    ['another page behind a client that hides what it is', foreign, false],
    ['what is embedded behind one', { 'Sec-Fetch-Site': 'same-site' }, false],
    ['a page of this machine', { ...browser, Origin: 'http://localhost:5173' }, true],
    ['a listed page', { ...browser, Origin: 'https://chat.example', 'Sec-Fetch-Site': 'cross-site' }, true],
    ['a node that asks for a page', { 'Skulk-No-Fetch': '1', Origin: 'https://chat.example' }, false],
  ])('do not cause a fetch: %s', async (_, headers, mayFetch) => {
    const { get, askers } = await serve({ origins: ['https://chat.example'] });
    await get(file, { headers: headers as unknown as Record<string, string> });
    await get('/api/models/org/m', { headers: headers as unknown as Record<string, string> });
    expect(askers).toEqual([{ mayFetch }, { mayFetch }]);
  });
});

describe('a file that is fetched while it is sent', () => {
  const coldOf = (bytes: () => AsyncIterable<Uint8Array>) => ({
    change: () => ({ open: async () => ({ kind: 'stream' as const, bytes: bytes() }) }),
  });

  test('starts after its head, which is sent at once', async () => {
    let goOn: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { url } = await serve(
      coldOf(async function* () {
        await gate;
        yield content.subarray(0, 100_000);
        yield content.subarray(100_000);
      }),
    );
    const answer = await within('the head', fetch(`${url}/org/m/resolve/main/w.gguf`));
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, String(size)]);
    goOn?.();
    expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
  });

  test.each([
    ['ends early', [content.subarray(0, 1000)], false],
    ['fails', [content.subarray(0, 1000)], true],
    ['is too long', [content.subarray(0, 1000), content], false],
  ] as const)('ends with a closed connection when it %s, and never looks complete', async (_, parts, fails) => {
    const { url } = await serve(
      coldOf(async function* () {
        yield* parts;
        if (fails) throw new Error('away');
      }),
    );
    const head = 'HTTP/1.1\r\nHost: localhost\r\n';
    const next = `GET /api/agent-harnesses ${head}Connection: close\r\n\r\n`;
    const text = await within('the end', talk(url, `GET /org/m/resolve/main/w.gguf ${head}\r\n${next}`));
    expect(text).toContain(`Content-Length: ${size}`);
    // Data that follows on this connection would be treated as the rest of the file.
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text.length).toBeLessThan(size);
  });

  test('is stopped when its reader leaves', async () => {
    let gone: AbortSignal | undefined;
    const { url } = await serve({
      change: () => ({
        open: async (_repo, _file, { signal }) => {
          gone = signal;
          return {
            kind: 'stream' as const,
            bytes: (async function* () {
              yield content.subarray(0, 10);
              await new Promise((resolve) => signal.addEventListener('abort', resolve));
            })(),
          };
        },
      }),
    });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () =>
      socket.write('GET /org/m/resolve/main/w.gguf HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    );
    await within('a byte', new Promise((resolve) => socket.once('data', resolve)));
    socket.destroy();
    await within(
      'the end of the interest',
      new Promise<void>((resolve) => (gone?.aborted === true ? resolve() : gone?.addEventListener('abort', () => resolve()))),
    );
  });

  test.each(Object.entries(hubRefusals))('is refused as %s', async (kind, { status }) => {
    const message = 'line one\r\nSet-Cookie: a=b\u0000 – ünï "quoted"';
    const refuse = async () => {
      throw new HubRefusal(kind as HubRefusalKind, message, { commit: 'c'.repeat(40) });
    };
    const { get } = await serve({ change: () => ({ open: refuse }) });
    const answer = await get('/org/m/resolve/main/w.gguf', { headers: { Authorization: 'Bearer hf_of_the_client' } });
    expect([answer.status, answer.json()]).toEqual([status, { error: message }]);
    // Hugging Face asks for a token first.
    const withoutToken = await get('/org/m/resolve/main/w.gguf');
    expect(withoutToken.status).toBe(kind === 'gated' ? 401 : status);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.headers['x-error-message']).toBe('line one?Set-Cookie: a=b? ? ?n? "quoted"');
  });
});

describe('hostile requests to the Hub protocol', () => {
  test.each([
    '/../etc/resolve/main/passwd',
    '/a/b/resolve/main/../../x',
    '/a/%2e%2e/resolve/main/x',
    '/a/b/resolve/main/%2e%2e/%2e%2e/x',
    '/org/m/resolve/main/..%2f..%2fconfig.json',
    '/org/m/resolve/main/%00',
    '/org/m/resolve/main/config.json%00.txt',
    '/org/m/resolve/main/a\\b',
    '/org/m/resolve/main/%5c%5cx',
    '/org/m/resolve/main//etc/passwd',
    '/org/m/resolve/%2e%2e/config.json',
    '/org/m/resolve/main%00/config.json',
    '/org/m/resolve/..%2fmain/config.json',
    '/org%2Fm%2Fx/resolve/main/config.json',
    '/org/m%0d%0aX:%20y/resolve/main/config.json',
    '/%ff/m/resolve/main/config.json',
    '/org/m/resolve/main/%ff',
    '/.skulk/v1/resolve/main/lock',
    '/api/models/..%2f..%2fetc/tree/main',
    '/api/models/org/m/tree/main/..%2f..',
    '/api/models/org/m/tree/main/%00',
    '/api/models/__proto__/constructor',
    `/org/${'x'.repeat(5000)}/resolve/main/x`,
    `/org/m/resolve/main/${'x/'.repeat(3000)}`,
    `/org/m/resolve/${'a'.repeat(4000)}/x`,
  ])('get no byte and cause no server error: %s', async (target) => {
    const { url } = await serve();
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(url, target, { method });
      expect([target.slice(0, 80), [400, 404, 414]]).toEqual([target.slice(0, 80), expect.arrayContaining([answer.status])]);
      expect(String(answer.headers['content-type'])).toContain('application/json');
      for (const value of Object.values(answer.headers)) expect(String(value)).not.toMatch(/[\r\n\0]|[^\x20-\x7e]/);
    }
  });

  test.each([
    '/../etc/resolve/main/passwd',
    '/a/b/resolve/main/../../x?download=true',
    '/a/%2e%2e/resolve/main/x',
    '/a/b/resolve/main/%2e%2e/%2e%2e/x',
    '/org/m/resolve/main/a%5cb',
    '/org/m/raw/main/./config.json',
    '/org/m/resolve/%2e%2e/config.json',
    '/org/m/resolve/main/%ff',
    '/api/models/../registry',
    '/api/models/org/m/tree/main/../..',
    '/api/models/..%2f..%2fetc/tree/main',
    '/api/models/org/%01/tree/main',
    '/datasets/../x/resolve/main/y',
  ])('with an unclean path get the answer of a Hub for a missing model: %s', async (target) => {
    const { url, get } = await serve();
    for (const method of ['GET', 'HEAD']) {
      const answer = await get(target, { method });
      expect([answer.status, answer.headers['x-error-code']]).toEqual([404, 'RepoNotFound']);
    }
    expect((await ask(url, target, { method: 'DELETE' })).status).toBeGreaterThanOrEqual(400);
  });

  test('with an unclean path get a registry error below /v2/, and the usual error on other routes', async () => {
    const { url } = await serve();
    const registry = await ask(url, '/v2/org/m/blobs/..');
    expect([registry.status, registry.json()]).toMatchObject([404, { errors: [{ code: 'NAME_UNKNOWN' }] }]);
    for (const target of ['/models/../registry', '/models/org/m/../../resolve/x', '/..', '/store/%2e%2e/resolve/x'])
      expect([target, (await ask(url, target)).json()]).toMatchObject([target, { code: 'BAD_PATH' }]);
  });

  test('with a body get the same answer as without it, and the next request is parsed correctly', async () => {
    const { url } = await serve();
    for (const method of ['GET', 'HEAD']) {
      const text = await talk(
        url,
        `${method} ${file} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 35\r\n\r\nDELETE /models/org/m HTTP/1.1\r\nX: y\r\n` +
          `GET /org/m/resolve/main/none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404']);
    }
  });

  test.each(['GET', 'PUT', 'DELETE', 'PATCH', 'POST'])('cannot change anything with %s on paths of the Hub', async (method) => {
    const { url, get } = await serve();
    for (const target of ['/org/m', '/org/m/resolve/main/config.json', '/org/m/raw/main/x', '/org/m/tree/main'])
      await ask(url, target, { method, headers: { 'Content-Type': 'application/json', 'Content-Length': '2' }, body: '{}' });
    expect((await get(file)).body.toString()).toBe('{}');
  });

  test('with forms are accepted only for paths-info', async () => {
    const { url } = await serve();
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    for (const target of ['/models/org%2Fm/download', '/orders', '/verify'])
      expect([target, (await ask(url, target, { method: 'POST', headers: form, body: 'a=b' })).status]).toEqual([
        target,
        expect.toBeOneOf([404, 415]),
      ]);
  });
});
