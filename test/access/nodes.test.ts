import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createStoreRoles } from '../../src/core/operations/store/store-roles.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { adminKeyOf, pageLink } from '../helpers/page-link.ts';
import { ask, type RawAnswer } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import type { Serving } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

/** A store host with roles and scripted answers: `sessions` by token, with `''` for no token. */
async function storeWith(sessions: Record<string, object | number>) {
  const seen: { readonly method: string; readonly url: string; readonly authorization: string | undefined }[] = [];
  const server = createServer(({ method = '', url = '', headers: { authorization } }: IncomingMessage, answer) => {
    seen.push({ method, url, authorization });
    const say = (status: number, body: object): void =>
      void answer.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (url === '/health') return say(200, { store_path: '/x', free_bytes: 1, total_bytes: 2, used_bytes: 1, version: '9.9.9' });
    if (url !== '/session') return say(200, { entries: [] });
    const found = sessions[authorization?.replace('Bearer ', '') ?? ''] ?? 401;
    if (typeof found === 'number') return say(found, { detail: 'no', code: 'UNAUTHORIZED', hint: null });
    return say(200, { hostname: 'kite3', lan: 'node', ...found });
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, stop };
}

async function nodeOf(url: string, env: Record<string, string> = {}, home?: string): Promise<Serving> {
  home ??= await temporaryDirectory();
  const node = await serveInProcess({ home, args: ['--role', 'node'], env: { SKULK_STORE: url, SKULK_NODE_ID: 'n1', ...env } });
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

const anybody = { role: 'node', credential: 'lan' };

describe('the token that a node sends to its store', () => {
  test('is the token that the node received, and never the key of this machine or of a browser tab', async () => {
    const named = { role: 'read', credential: 'named', name: 'laptop' };
    const store = await storeWith({ '': anybody, skulk_laptop: named });
    const node = await nodeOf(store.url);
    const code = (await pageLink(node)).replace(/^.*#code=/, '');
    const json = { 'Content-Type': 'application/json' };
    const answer = await ask(node.apiUrl, '/session', { method: 'POST', headers: json, body: JSON.stringify({ code }) });
    const { key: page } = answer.json() as { key: string };
    const shown = async (options: Parameters<typeof ask>[2]): Promise<string | undefined> => {
      const before = store.seen.length;
      expect((await ask(node.apiUrl, '/store/registry', options)).status).toBe(200);
      return store.seen.slice(before).find(({ url }) => url === '/store/registry')?.authorization;
    };
    expect(await shown({})).toBeUndefined();
    expect(await shown(bearer('skulk_laptop'))).toBe('Bearer skulk_laptop');
    for (const own of [await adminKeyOf(node.home), page]) expect(await shown(bearer(own))).toBeUndefined();
    // A request that the store would refuse is not forwarded.
    expect((await ask(node.apiUrl, '/store/registry', bearer('skulk_wrong'))).status).toBe(401);
    expect((await ask(node.apiUrl, '/store/models/org%2Fm', { method: 'DELETE', ...bearer('skulk_laptop') })).status).toBe(403);
    expect(store.seen.filter(({ method }) => method === 'DELETE')).toEqual([]);
    const said = store.seen.map(({ authorization }) => authorization ?? '').join('\n');
    for (const own of [await adminKeyOf(node.home), page]) expect(said).not.toContain(own);
    // The log of a node names the caller of each forwarded request.
    await expect.poll(() => node.stderr()).toContain('"who":"token laptop"');
    expect(node.stderr()).not.toContain('skulk_laptop');
  });

  test("is never the node's own token when the caller has none", async () => {
    const store = await storeWith({ '': 401, 'the-token': { role: 'admin', credential: 'token', lan: 'none' } });
    const node = await nodeOf(store.url, { SKULK_TOKEN: 'the-token' });
    const forwarded = (): readonly unknown[] => store.seen.filter(({ url }) => url.startsWith('/store/')).map((one) => one.authorization);
    expect((await ask(node.apiUrl, '/store/registry')).status).toBe(401);
    expect(forwarded()).toEqual([]);
    expect((await ask(node.apiUrl, '/store/registry', bearer(await adminKeyOf(node.home)))).status).toBe(200);
    expect(forwarded()).toEqual([undefined]);
    expect((await ask(node.apiUrl, '/store/registry', bearer('the-token'))).status).toBe(200);
    expect(forwarded()).toEqual([undefined, 'Bearer the-token']);
  });
});

describe('the access rights that a node gets from its store', () => {
  test('include the role of a received token, and a token without an answer of the store has no role', async () => {
    const store = await storeWith({
      '': anybody,
      skulk_admin: { role: 'admin', credential: 'named', name: 'ops' },
      // The keys of the store host are only for that machine.
      hostkey: { role: 'admin', credential: 'key' },
      hostpage: { role: 'admin', credential: 'page' },
      strange: { role: 'root', credential: 'named' },
    });
    const node = await nodeOf(store.url);
    const session = async (token: string): Promise<RawAnswer> => ask(node.apiUrl, '/session', bearer(token));
    expect((await session('skulk_admin')).json()).toMatchObject({ role: 'admin', credential: 'named', name: 'ops' });
    expect((await ask(node.apiUrl, '/filesystem/browse', bearer('skulk_admin'))).status).toBe(200);
    for (const token of ['hostkey', 'hostpage', 'unknown']) expect([token, (await session(token)).status]).toEqual([token, 401]);
    expect((await session('strange')).status).toBe(503);
    const asked = store.seen.filter(({ url, authorization }) => url === '/session' && authorization === 'Bearer skulk_admin');
    expect(asked).toHaveLength(1);
    store.stop();
    const away = await session('skulk_another');
    expect([away.status, away.json()]).toEqual([
      503,
      {
        detail: expect.stringContaining('cannot ask the store about this token'),
        code: 'STORE_UNREACHABLE',
        hint: expect.any(String),
      },
    ]);
    // The rights of the LAN stay as the store last reported them.
    expect((await ask(node.apiUrl, '/session')).json()).toMatchObject({ role: 'node', lan: 'node' });
  });

  test('include the rights of the LAN; a Python store has no roles, and a store that needs a token gives the LAN no rights', async () => {
    for (const [said, lan] of [
      [{ ...anybody, lan: 'node' }, 'node'],
      [{ role: 'read', credential: 'lan', lan: 'read' }, 'read'],
      [401, 'none'],
      [404, 'node'],
    ] as const) {
      const store = await storeWith({ '': said });
      const node = await nodeOf(store.url);
      const answer = await ask(node.apiUrl, '/session');
      expect([lan, answer.status]).toEqual([lan, lan === 'none' ? 401 : 200]);
      if (lan !== 'none') expect(answer.json()).toMatchObject({ role: lan, lan });
      const stage = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
      expect((await ask(node.apiUrl, '/node/stage', stage)).status).toBe({ node: 400, read: 403, none: 401 }[lan]);
      // A key of the node works on the node, regardless of the store.
      expect((await ask(node.apiUrl, '/node/identity', bearer(await adminKeyOf(node.home)))).status).toBe(200);
    }
  });

  test('do not grow when the node restarts while its store is away', async () => {
    const store = await storeWith({ '': { role: 'read', credential: 'lan', lan: 'read' } });
    const first = await nodeOf(store.url);
    const stage = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
    expect((await ask(first.apiUrl, '/node/stage', stage)).status).toBe(403);
    await first.stop();
    store.stop();
    const again = await serveInProcess({ home: first.home, args: ['--role', 'node'], env: { SKULK_STORE: store.url } });
    onTestFinished(() => again[Symbol.asyncDispose]());
    expect((await ask(again.apiUrl, '/node/stage', stage)).status).toBe(403);
    expect((await ask(again.apiUrl, '/node/identity')).status).toBe(200);
  });

  test('are kept for a minute, and a refusal only for a moment', async () => {
    let now = 0;
    let role: 'node' | undefined = 'node';
    let asked = 0;
    const session = async () => {
      asked += 1;
      if (role === undefined) return { state: 'refused' } as const;
      return {
        state: 'known',
        role,
        credential: 'named',
        name: 'laptop',
        store_role: 'node',
        lan: 'node',
        server_names: [],
        cors_origins: [],
        hostname: 'kite3',
      } as const;
    };
    const roles = createStoreRoles({ session, url: () => 'http://store' }, { now: () => now });
    expect(await roles.findToken('a')).toEqual({ role: 'node', name: 'laptop' });
    role = undefined;
    now += 59_999;
    expect(await roles.findToken('a')).toEqual({ role: 'node', name: 'laptop' });
    expect(asked).toBe(1);
    now += 1;
    expect(await roles.findToken('a')).toBeUndefined();
    role = 'node';
    now += 2_000;
    expect(await roles.findToken('a')).toEqual({ role: 'node', name: 'laptop' });
    for (let index = 0; index < 3_000; index += 1) await roles.findToken(`t${index}`);
    expect(asked).toBe(3_003);
  });

  test('a change of what the LAN may do counts before the disk has it', async () => {
    let lan: 'node' | 'none' = 'node';
    let now = 0;
    const session = async () =>
      ({
        state: 'known',
        role: 'node',
        credential: 'lan',
        store_role: lan,
        lan,
        server_names: [],
        cors_origins: [],
        hostname: 'kite3',
      }) as const;
    const written: string[] = [];
    const disk = Promise.withResolvers<void>();
    const write = async (_: string, value: string): Promise<void> => {
      written.push(value);
      if (value === 'none') await disk.promise;
    };
    const memory = { read: async () => undefined, write };
    const roles = createStoreRoles({ session, url: () => 'http://store' }, { now: () => now, memory });
    expect(await roles.policy()).toMatchObject({ lan: 'node' });
    lan = 'none';
    now += 5_000;
    const first = roles.policy();
    await expect.poll(() => written).toEqual(['node', 'none']);
    expect(await roles.policy()).toMatchObject({ lan: 'none' });
    disk.resolve();
    expect(await first).toMatchObject({ lan: 'none' });
  });

  test('stay in force when the node restarts while its store is away', async () => {
    const store = await storeWith({ '': 401 });
    const node = await nodeOf(store.url);
    expect((await ask(node.apiUrl, '/node/staging')).status).toBe(401);
    await node[Symbol.asyncDispose]();
    store.stop();
    const again = await nodeOf(store.url, {}, node.home);
    expect((await ask(again.apiUrl, '/node/staging')).status).toBe(401);
    expect((await ask(again.apiUrl, '/node/identity', bearer(await adminKeyOf(again.home)))).status).toBe(200);
  });

  test('are the lowest remembered rights while the node does not know its store yet', async () => {
    const home = await temporaryDirectory();
    const entries = { 'http://a': { lan: 'node' }, 'http://b': { lan: 'read' }, 'http://c': { lan: 'strange' } };
    await writeFile(join(home, 'known-stores.json'), JSON.stringify({ lan: entries }));
    const node = await serveInProcess({ home, args: ['--role', 'node', '--no-mdns'], env: { SKULK_NODE_ID: 'n1' } });
    onTestFinished(() => node[Symbol.asyncDispose]());
    expect((await ask(node.apiUrl, '/session')).json()).toMatchObject({ role: 'read', lan: 'read' });
  });

  test('include the further host names that the node accepts', async () => {
    const store = await storeWith({ '': { ...anybody, server_names: ['models.example.com'] } });
    const node = await nodeOf(store.url);
    const askedAs = async (host: string): Promise<number> => (await ask(node.apiUrl, '/session', { headers: { Host: host } })).status;
    expect(await askedAs('models.example.com')).toBe(200);
    expect(await askedAs('evil.example.com')).toBe(403);
  });

  test('include the web origins that may use the node as a Hub', async () => {
    const store = await storeWith({ '': { ...anybody, cors_origins: ['https://chat.example'] } });
    const node = await nodeOf(store.url);
    const allowed = async (origin: string): Promise<unknown> =>
      (await ask(node.apiUrl, '/api/models', { method: 'OPTIONS', headers: { Origin: origin } })).headers['access-control-allow-origin'];
    expect(await allowed('https://chat.example')).toBe('https://chat.example');
    expect(await allowed('https://evil.example')).toBeUndefined();
  });
});

/** Works like nginx and `ssh -L`: accepts connections from anywhere and opens new ones from this machine. */
async function proxyTo(url: string): Promise<string> {
  const server = createServer((incoming, answer) => {
    const { method, headers } = incoming;
    const onward = request(url + (incoming.url ?? ''), { method, headers: { ...headers, 'x-forwarded-for': '203.0.113.7' } }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a request without the key of the machine cannot turn a directory into a store, neither from another machine nor through a local proxy', async () => {
  const world = await fleetWorld();
  const host = await world.hostInProcess();
  onTestFinished(() => host[Symbol.asyncDispose]());
  const proxy = await proxyTo(host.apiUrl);
  const private_ = join(world.home, 'private');
  const put = (url: string, body: object, headers = {}): Promise<RawAnswer> =>
    ask(url, '/config', { method: 'PUT', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
  for (const url of [host.apiUrl, proxy])
    for (const change of [
      { store_path: private_ },
      { staging: { node_cache_path: world.home } },
      { api_port: 1234 },
      { store_host: 'evil' },
    ])
      expect((await put(url, { model_store: change })).json()).toMatchObject({
        code: 'FORBIDDEN',
        hint: expect.stringContaining('skulk key'),
      });
  for (const header of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded'])
    expect((await put(host.apiUrl, { hf_token: 'hf_thief' }, { [header]: '127.0.0.1' })).status).toBe(403);
  for (const target of ['/filesystem/browse', '/filesystem/browse?path=/etc']) expect((await ask(proxy, target)).status).toBe(403);

  // Even with the key, skulk must be allowed to use the directory.
  const key = await adminKeyOf(host.home);
  for (const change of [{ staging: { node_cache_path: world.home } }, { store_path: world.home }])
    expect((await put(host.apiUrl, { model_store: change }, { Authorization: `Bearer ${key}` })).status).toBe(400);
});

test('a revoked token stops working at once, and its open streams end', async () => {
  const world = await fleetWorld();
  const host = await world.hostInProcess();
  onTestFinished(() => host[Symbol.asyncDispose]());
  const token = (await world.host('token', 'create', 'phone', '--role', 'read')).stdout.trim();
  expect(await world.host('policy', 'set', 'lan', 'none')).toMatchObject({ status: 0 });
  await expect.poll(async () => (await ask(host.url, '/models')).status).toBe(401);
  // The line for cron must not hide that this machine can carry out no orders.
  const refused = {
    status: 2,
    stderr: expect.stringMatching(/^skulk: cannot ask the store for orders: .* refused access.*\nhint: .*SKULK_TOKEN/),
  };
  for (const args of [[], ['--quiet'], ['--dry-run']])
    expect(await world.node('n1', host.url, 'reconcile', ...args)).toMatchObject(refused);
  expect(await world.node('n1', host.url, 'reconcile', '--token', token)).toMatchObject({ status: 2 });
  expect((await ask(host.url, '/models', bearer(token))).status).toBe(200);
  const listening = ask(host.apiUrl, '/store/events', bearer(token)).then(
    () => 'ended',
    () => 'ended',
  );
  expect((await ask(host.url, '/models/org%2Fm', { method: 'DELETE', ...bearer(token) })).status).toBe(403);
  expect(await world.host('token', 'revoke', 'phone')).toMatchObject({ status: 0, stdout: 'revoked phone\n' });
  expect((await ask(host.url, '/models', bearer(token))).status).toBe(401);
  expect(await listening).toBe('ended');
  const log = host.stderr();
  expect(log).not.toContain(token);
  expect(log).toContain('"who":"token phone","from":"127.0.0.1","method":"DELETE","url":"/models/org%2Fm","model":"org/m","status":403');
});

test('a LAN with the role read can stage models of the store, and cannot change anything', async () => {
  const world = await fleetWorld();
  await world.add('org/m');
  const host = await world.hostInProcess();
  onTestFinished(() => host[Symbol.asyncDispose]());
  expect(await world.host('policy', 'set', 'lan', 'read')).toMatchObject({ status: 0 });
  await expect.poll(async () => ((await ask(host.url, '/session')).json() as { lan: string }).lan).toBe('read');
  expect(await world.node('n1', host.url, 'stage', 'org/m')).toMatchObject({ status: 0 });
  // The command changed the file without a request to the server.
  await expect.poll(() => host.stderr()).toMatch(/the policy has changed: .*lan.*read/);
  const refused = await world.node('n1', host.url, 'delete', 'org/m', '--yes');
  expect(refused).toMatchObject({ status: 2, stdout: '' });
  expect(refused.stderr).toMatch(/may not change models[\s\S]*skulk token create/);
  // On the machine itself commands have its key.
  expect(await world.host('delete', 'org/m', '--yes')).toMatchObject({ status: 0 });
  const key = await adminKeyOf(host.home);
  await expect.poll(() => host.stderr()).toMatch(/"who":"key","from":"127.0.0.1".*"method":"DELETE"/);
  expect(host.stderr()).not.toContain(key);
});
