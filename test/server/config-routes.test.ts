import { linkSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/core/config/load.ts';
import { createAccess } from '../../src/core/server/access/access.ts';
import { createApiApp } from '../../src/core/server/app/api-app.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { ask, type RawAnswer } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testDeps, testWorld } from '../helpers/world.ts';

interface View {
  path: string;
  config: { model_store: Record<string, unknown> & { staging: Record<string, unknown>; store_port: number } };
  secrets: Record<string, boolean>;
  overridden: Record<string, string>;
  restart_required: boolean;
  restart_because: string[];
  changed: string[];
  problem: string | null;
}

const adminKey = 'the-key-of-this-machine';
const withKey = { authorization: `Bearer ${adminKey}` };

/** A node's API over a configuration file of the test. */
async function serve(content?: string, { name = 'skulk.yaml', env = {} }: { name?: string; env?: Record<string, string> } = {}) {
  const home = await temporaryDirectory();
  const file = join(home, name);
  if (content !== undefined) await writeFile(file, content);
  const world = { ...testWorld(home, { env: { XDG_CONFIG_HOME: join(home, 'xdg'), ...env } }), hostname: 'kite3' };
  const deps = testDeps(world, await loadConfig(world, content === undefined ? {} : { config: file }));
  const identity = { hostname: 'kite3', node_id: 'n1', preferred_address: null, version: '1', role: 'node', can_restart: false };
  const token = deps.config.settings.token.value;
  const access = createAccess({ token, adminKey });
  const app = await createApiApp({ deps, identity: () => identity, access, logLevel: 'silent' });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => stopApp(app, { graceMs: 100 }));
  const put = (body: unknown, query = ''): Promise<RawAnswer> =>
    ask(url, `/config${query}`, { method: 'PUT', headers: { 'content-type': 'application/json', ...withKey }, body: JSON.stringify(body) });
  const get = async (): Promise<View> => (await ask(url, '/config')).json() as View;
  const putFrom = async (remoteAddress: string, body: object, headers = {}): Promise<number> => {
    const payload = JSON.stringify(body);
    const given = { host: '192.168.7.1:52415', 'content-type': 'application/json', ...headers };
    return (await app.inject({ method: 'PUT', url: '/config', remoteAddress, headers: given, payload })).statusCode;
  };
  return { url, home, file, put, putFrom, get, text: () => readFile(file, 'utf8') };
}

const yaml = `# Ours, by hand.
inference: {backend: mlx}   # of the other program
model_store:
  store_host: kite3   # the big one
  store_path: STORE
  auth: {token: only-for-us}
  staging:
    # small disk
    staging_keep_recent_gb: 10
hf_token: hf_secret1
`;

async function serveYaml(change: (text: string) => string = (text) => text) {
  const store = await temporaryDirectory();
  const served = await serve(change(yaml.replace('STORE', store)), { env: {} });
  const auth = { authorization: 'Bearer only-for-us' };
  const put = (body: unknown, query = ''): Promise<RawAnswer> =>
    ask(served.url, `/config${query}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...auth },
      body: JSON.stringify(body),
    });
  const get = async (): Promise<View> => (await ask(served.url, '/config', { headers: auth })).json() as View;
  return { ...served, store, put, get };
}

describe('the configuration over HTTP', () => {
  usualTest('cannot be changed without a key, from any address', async () => {
    const served = await serve('model_store:\n  store_host: kite3\n');
    const before = await served.text();
    const changes = [
      { hf_token: 'hf_thief' },
      { hf_token: null },
      { model_store: { store_path: '/home/u/.config' } },
      { model_store: { auth: { token: 'locks you out' } } },
      { model_store: { auth: null } },
      { model_store: { browse_roots: ['/'] } },
      { model_store: { staging: { staging_keep_recent_gb: 3 } } },
      { model_store: null },
    ];
    // Behind a proxy or a tunnel on this machine, requests of all clients come from loopback.
    for (const from of ['192.168.7.7', '127.0.0.1', '::1', '::ffff:127.0.0.1'])
      for (const change of changes) expect(await served.putFrom(from, change), `${from} ${JSON.stringify(change)}`).toBe(403);
    for (const authorization of ['Bearer wrong', 'Bearer', `Bearer ${adminKey}x`])
      expect(await served.putFrom('127.0.0.1', { hf_token: null }, { authorization })).toBe(401);
    expect(await served.text()).toBe(before);
    expect(await served.putFrom('192.168.7.7', { hf_token: 'hf_mine' }, withKey)).toBe(200);
    expect(await served.text()).toContain('hf_token: hf_mine');
    const locked = await serveYaml();
    expect(await locked.putFrom('127.0.0.1', { hf_token: 'hf_new' })).toBe(401);
    expect(await locked.putFrom('192.168.7.7', { hf_token: 'hf_new' }, { authorization: 'Bearer only-for-us' })).toBe(200);
  });

  usualTest('needs a restart after a change of the directories that may be browsed', async () => {
    const served = await serve('model_store:\n  store_host: kite3\n');
    expect((await served.put({ model_store: { browse_roots: ['/srv'] } })).json()).toMatchObject({
      restart_because: ['model_store.browse_roots'],
    });
  });

  usualTest('shows the settings in effect, without secrets', async () => {
    const { get, file } = await serveYaml();
    const view = await get();
    expect(view).toMatchObject({
      path: file,
      config: { model_store: { store_host: 'kite3', store_port: 58080, staging: { staging_keep_recent_gb: 10 } } },
      secrets: { 'model_store.auth.token': true, hf_token: true },
      restart_required: false,
      problem: null,
    });
    expect(JSON.stringify(view)).not.toMatch(/only-for-us|hf_secret1/);
  });

  usualTest('keeps comments, secrets and sections of other programs after a change', async () => {
    const { put, get, text } = await serveYaml();
    const before = await text();
    const answer = await put({ config: { model_store: { store_port: 9000, staging: { staging_keep_recent_gb: 12.5 } } } });
    expect([answer.status, answer.json()]).toEqual([
      200,
      expect.objectContaining({
        changed: ['model_store.store_port', 'model_store.staging.staging_keep_recent_gb'],
        restart_required: true,
        restart_because: ['model_store.store_port'],
      }),
    ]);
    const after = await text();
    // The library has its own spacing.
    const dense = (all: string): string => all.replaceAll(' ', '');
    for (const kept of before.split('\n').filter((line) => !line.includes('recent_gb'))) expect(dense(after)).toContain(dense(kept));
    expect(after).toContain('staging_keep_recent_gb: 12.5');
    expect(answer.body.toString()).not.toMatch(/only-for-us|hf_secret1/);
    expect((await get()).config.model_store).toMatchObject({ store_port: 9000, staging: { staging_keep_recent_gb: 12.5 } });
    // The answer of GET can be sent back, and changes nothing.
    expect((await put({ config: (await get()).config })).json()).toMatchObject({ changed: [] });
    expect(await text()).toBe(after);
  });

  usualTest('shows when a change needs no restart, and null restores the default', async () => {
    const { put, text } = await serveYaml();
    expect((await put({ model_store: { staging: { cleanup_on_deactivate: false } } })).json()).toMatchObject({ restart_required: false });
    expect((await put({ model_store: { staging: { staging_keep_recent_gb: null } } })).json()).toMatchObject({
      config: { model_store: { staging: { staging_keep_recent_gb: 40, cleanup_on_deactivate: false } } },
    });
    expect(await text()).not.toContain('recent_gb');
    expect((await put({ hf_token: 'hf_new', model_store: { auth: { token: null } } })).json()).toMatchObject({
      secrets: { 'model_store.auth.token': false, hf_token: true },
      restart_because: ['model_store.auth.token', 'hf_token'],
    });
  });

  usualTest('changes a staging setting in its override for this machine', async () => {
    const { put, text, get } = await serveYaml(
      (all) => `${all.replace('hf_token', '  node_overrides:\n    KITE3.local:\n      staging: {staging_keep_recent_gb: 99}\nhf_token')}`,
    );
    expect((await get()).config.model_store.staging).toMatchObject({ staging_keep_recent_gb: 99 });
    await put({ model_store: { staging: { staging_keep_recent_gb: 5 } } });
    expect(await text()).toContain('{ staging_keep_recent_gb: 5 }');
    expect(await text()).toContain('staging_keep_recent_gb: 10');
    expect((await get()).config.model_store.staging).toMatchObject({ staging_keep_recent_gb: 5 });
  });

  usualTest.each([
    ['an unknown key', { model_store: { store_prot: 1 } }, /store_port/],
    ['a wrong type', { model_store: { store_port: 'many' } }, /store_port/],
    ['two equal ports', { model_store: { store_port: 52415 } }, /52415/],
    ['a relative path', { model_store: { staging: { node_cache_path: 'here' } } }, /relative/],
    ['a store that is not there', { model_store: { store_path: '/nowhere/at/all' } }, /does not exist/],
    ['a section of another program', { inference: { backend: 'x' } }, /inference/],
    ['a negative budget', { model_store: { staging: { staging_keep_recent_gb: -1 } } }, /staging_keep_recent_gb/],
    ['a mapping where a value belongs', { model_store: { store_port: { a: 1 } } }, /store_port/],
    ['a value where a mapping belongs', { model_store: 5 }, /model_store/],
    ['a list', [], /JSON object/],
    ['nothing', null, /JSON object/],
  ])('refuses %s with a clear message, and writes nothing', async (_, body, says) => {
    const { put, text } = await serveYaml();
    const before = await text();
    const answer = await put(body);
    expect([answer.status, answer.json()]).toEqual([400, expect.objectContaining({ code: expect.any(String), hint: expect.any(String) })]);
    expect(answer.body.toString()).toMatch(says);
    expect(await text()).toBe(before);
  });

  usualTest('survives a deeply nested body, or a body of another kind', async () => {
    const { url } = await serve('model_store: {}\n');
    const deep = `${'{"model_store":'.repeat(4000)}1${'}'.repeat(4000)}`;
    const headers = { 'content-type': 'application/json', ...withKey };
    expect((await ask(url, '/config', { method: 'PUT', headers, body: deep })).status).toBe(400);
    for (const body of ['{"__proto__":{"a":1}}', '{"model_store":{"constructor":{"prototype":{"a":1}}}}', '{"hf_token":{"$ref":1}}', '{'])
      expect((await ask(url, '/config', { method: 'PUT', headers, body })).status).toBe(400);
    expect((await ask(url, '/config', { method: 'PUT', headers: { 'content-type': 'text/yaml', ...withKey }, body: 'a: 1' })).status).toBe(
      415,
    );
  });

  longTest('never becomes unreadable, or slow to read, after any number of changes', async () => {
    const { put, get, text, url } = await serve('model_store:\n  store_port: 9100\n');
    const statuses: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const names = Array.from({ length: 90 }, (_, index) => [
        `node-${round}-${index}`,
        { staging: { node_cache_path: `/x/${'y'.repeat(60)}` } },
      ]);
      statuses.push((await put({ model_store: { node_overrides: Object.fromEntries(names) } })).status);
    }
    expect(new Set(statuses)).toEqual(new Set([200, 400]));
    expect((await text()).length).toBeLessThanOrEqual(64 * 1024);
    expect(await get()).toMatchObject({ problem: null, config: { model_store: { store_port: 9100 } } });
    const long = await put({ model_store: { store_host: 'h'.repeat(5000) } });
    expect([long.status, long.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'BAD_REQUEST', detail: expect.stringContaining('store_host') }),
    ]);
    expect((await ask(url, '/config')).status).toBe(200);
  });

  usualTest('does not change a file that is too large', async () => {
    const own = `model_store: {store_port: 9100}\n# ${'x'.repeat(70_000)}\n`;
    const { put, get, text } = await serve(own);
    const refused = await put({ model_store: { store_port: 9200 } });
    expect([refused.status, refused.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'CONFLICT', hint: expect.stringContaining('by hand') }),
    ]);
    expect(await text()).toBe(own);
    expect((await get()).config.model_store.store_port).toBe(9100);
  });

  usualTest('only validates with ?dry_run=true', async () => {
    const { put, text } = await serveYaml();
    const before = await text();
    expect((await put({ model_store: { store_port: 9001 } }, '?dry_run=true')).json()).toMatchObject({
      changed: ['model_store.store_port'],
    });
    expect((await put({ model_store: { store_port: 0 } }, '?dry_run=true')).status).toBe(400);
    expect(await text()).toBe(before);
  });

  usualTest('creates a missing file, readable only for its owner', async () => {
    const { put, get, home } = await serve();
    const path = join(home, 'xdg/skulk/skulk.yaml');
    expect(await get()).toMatchObject({ path: null, save_path: path });
    expect((await put({ model_store: { store_host: 'kite7' } })).json()).toMatchObject({ path, save_path: path, restart_required: true });
    expect(await readFile(path, 'utf8')).toContain('store_host: kite7');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  usualTest('makes a file that gets a secret readable only for its owner', async () => {
    const { put, file } = await serve('model_store: {store_host: kite3}\n');
    const mode = async (): Promise<number> => (await stat(file)).mode & 0o777;
    await chmod(file, 0o644);
    await put({ model_store: { staging: { staging_keep_recent_gb: 3 } } });
    expect(await mode()).toBe(0o644);
    await put({ hf_token: 'hf_new' });
    expect(await mode()).toBe(0o600);
    await chmod(file, 0o664);
    await put({ hf_token: null, model_store: { auth: { token: 'only-for-us' } } });
    expect(await mode()).toBe(0o600);
  });

  usualTest('keeps a link, a mode and JSON as they are, and applies twenty concurrent changes', async () => {
    const { put, file, text } = await serve('{"model_store": {"store_host": "kite3"}}', { name: 'skulk.json' });
    await chmod(file, 0o640);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        put({ model_store: { node_overrides: { [`m${index}`]: { staging: { staging_keep_recent_gb: index } } } } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const saved = JSON.parse(await text()) as { model_store: { store_host: string; node_overrides: object } };
    expect(Object.keys(saved.model_store.node_overrides)).toHaveLength(20);
    expect(saved.model_store.store_host).toBe('kite3');
    expect((await stat(file)).mode & 0o777).toBe(0o640);

    const linked = await serve('model_store: {}\n', { name: 'real.yaml' });
    const link = join(linked.home, 'link.yaml');
    await symlink(linked.file, link);
    const world = testWorld(linked.home);
    const app = await createApiApp({
      deps: testDeps(world, await loadConfig(world, { config: link })),
      access: createAccess({ adminKey }),
      identity: () => ({ hostname: 'k', node_id: 'n', preferred_address: null, version: '1', role: 'node', can_restart: false }),
      logLevel: 'silent',
    });
    const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
    onTestFinished(() => stopApp(app, { graceMs: 100 }));
    const headers = { 'content-type': 'application/json', ...withKey };
    expect((await ask(url, '/config', { method: 'PUT', headers, body: '{"model_store":{"store_host":"k9"}}' })).status).toBe(200);
    expect(await readlink(link)).toBe(linked.file);
    expect(await linked.text()).toContain('store_host: k9');
    expect((await readdir(linked.home)).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  usualTest('shows which values come from a variable, and a change of the file does not affect them', async () => {
    const { put, get } = await serve('model_store: {}\n', { env: { HF_HUB_OFFLINE: '1' } });
    expect((await get()).overridden).toEqual({ 'model_store.download.allow_hf_fallback': 'environment HF_HUB_OFFLINE' });
    expect((await put({ model_store: { download: { allow_hf_fallback: true } } })).json()).toMatchObject({
      config: { model_store: { download: { allow_hf_fallback: false } } },
      restart_required: false,
    });
  });

  usualTest('reports a broken file, and does not overwrite it', async () => {
    const { put, get, file, text } = await serve('model_store: {store_port: 9100}\n');
    await writeFile(file, 'model_store: [');
    expect(await get()).toMatchObject({ problem: expect.stringContaining('not YAML'), config: { model_store: { store_port: 9100 } } });
    expect((await put({ model_store: { store_port: 9200 } })).status).toBe(409);
    expect(await text()).toBe('model_store: [');
  });
});

describe('browsing directories', () => {
  interface Browsed {
    path: string | null;
    parent: string | null;
    roots: string[];
    directories: { name: string; path: string }[];
    is_writable: boolean;
    free_bytes: number;
  }

  async function serveTree() {
    const tree = await temporaryDirectory();
    for (const path of ['root/models/a', 'root/models/.hidden/x', 'outside/secret']) await mkdir(join(tree, path), { recursive: true });
    await writeFile(join(tree, 'root/models/file.txt'), 'x');
    await symlink(join(tree, 'outside'), join(tree, 'root/models/way-out'));
    const served = await serve(`model_store:\n  browse_roots: [${tree}/root]\n`);
    const browse = (path: string) => ask(served.url, `/filesystem/browse?path=${encodeURIComponent(path)}`, { headers: withKey });
    return { ...served, tree, browse };
  }

  usualTest('lists directories below a root, but not files and hidden ones', async () => {
    const { url, tree, browse } = await serveTree();
    expect((await ask(url, '/filesystem/browse', { headers: withKey })).json()).toMatchObject({
      path: null,
      directories: [{ path: `${tree}/root` }],
    });
    const top = (await browse(`${tree}/root`)).json() as Browsed;
    expect(top).toMatchObject({ parent: null, directories: [{ name: 'models', path: `${tree}/root/models` }], is_writable: true });
    expect(top.free_bytes).toBeGreaterThan(0);
    expect((await browse(`${tree}/root/models/`)).json()).toMatchObject({ parent: `${tree}/root`, directories: [{ name: 'a' }] });
  });

  usualTest.each([
    ['../outside', 403],
    ['models/../../outside', 403],
    ['models/way-out', 403],
    ['models/way-out/secret', 403],
    ['models/.hidden', 403],
    ['models/nobody', 404],
    ['models/file.txt', 404],
  ])('answers root/%s with %i', async (path, status) => {
    const { browse, tree } = await serveTree();
    const answer = await browse(`${tree}/root/${path}`);
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ detail: expect.any(String), hint: expect.any(String) });
  });

  longTest('reads only a limited number of entries of a very large directory, and reports this', async () => {
    const { url, tree } = await serveTree();
    const large = join(tree, 'root', 'large');
    await mkdir(large);
    // Many names of one file, which is faster than many files.
    const file = join(tree, 'root/models/file.txt');
    for (let index = 0; index < 24_000; index += 1) linkSync(file, join(large, `f-${index}`));
    const answer = await ask(url, `/filesystem/browse?path=${encodeURIComponent(large)}`, { headers: withKey });
    expect([answer.status, answer.json()]).toEqual([200, expect.objectContaining({ is_cut: true, directories: [] })]);
  });

  usualTest('does not reveal whether a path outside the roots exists', async () => {
    const { browse, tree, url } = await serveTree();
    const answers = await Promise.all(['/etc', '/etc/passwd', '/etc/nobody', '/', `${tree}/outside`, `${tree}/nobody`].map(browse));
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403]);
    expect((await browse('relative')).status).toBe(400);
    expect((await browse('/\0x')).status).toBe(400);
    expect((await ask(url, '/filesystem/browse?path=/a&path=/b', { headers: withKey })).status).toBe(400);
  });

  usualTest('uses the home directory and the configured directories as roots by default, never the whole disk', async () => {
    const { url, home } = await serve();
    const { roots } = (await ask(url, '/filesystem/browse', { headers: withKey })).json() as Browsed;
    expect(roots).toContain(home);
    expect(roots).not.toContain('/');
  });
});

usualTest('a settings file that was made too large by hand is not parsed, and is named', async () => {
  const { file, get, put } = await serve('model_store:\n  store_host: kite3\n');
  await writeFile(
    file,
    `${await readFile(file, 'utf8')}inference:\n${Array.from({ length: 60_000 }, (_, index) => `  k${index}: 1\n`).join('')}`,
  );
  const view = await get();
  expect(view.problem).toMatch(/skulk\.yaml has \d+ bytes/);
  expect(view.config.model_store['store_host']).toBe('kite3');
  expect((await put({ model_store: { store_host: 'kite4' } })).status).toBe(409);
});
