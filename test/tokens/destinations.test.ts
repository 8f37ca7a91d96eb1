import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/core/config/read-file.ts';
import { resolveConfig } from '../../src/core/config/resolve/resolve-config.ts';
import type { SettingFlags } from '../../src/core/config/settings.ts';
import { guardToken } from '../../src/core/connect/guard-token.ts';
import { remoteUrl } from '../../src/core/connect/remote-url.ts';
import { tokenNeeds } from '../../src/core/connect/store/token-needs.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { type RecordedRequest, recordingStore } from '../helpers/recording-store.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testConfig, testWorld } from '../helpers/world.ts';

const token = 'only-for-my-store';
const withToken = (requests: readonly RecordedRequest[]): readonly RecordedRequest[] =>
  requests.filter(({ authorization }) => authorization !== null);
const storeAt = (port: number): string => `model_store:\n  store_host: other\n  store_http_host: 127.0.0.1\n  store_port: ${port}\n`;

describe('a store that only a configuration file in the working directory names', () => {
  test('does not get a token of the environment or of a flag, and no byte is sent to it', async () => {
    const home = await temporaryDirectory();
    const { port, requests } = await recordingStore();
    await writeFiles(home, { 'clone/skulk.yaml': storeAt(port), 'clone/deep/er/a': '' });
    for (const [args, env] of [
      [[], { SKULK_TOKEN: token }],
      [['--token', token], {}],
    ] as const) {
      for (const cwd of [join(home, 'clone'), join(home, 'clone/deep/er')]) {
        for (const verb of [['registry'], ['stage', 'org/m'], ['download', 'org/m'], ['nodes'], ['delete', 'org/m', '--yes']]) {
          const ended = await runInProcess([...verb, ...args], { cwd, env: { SKULK_HOME: join(home, 'h'), HOME: home, ...env } });
          expect(ended, ended.stderr).toMatchObject({ status: 2, stdout: '' });
          expect(ended.stderr).toContain(join(home, 'clone/skulk.yaml'));
          expect(ended.stderr).toContain('token_hosts');
        }
      }
    }
    expect(requests).toEqual([]);
  });

  test('gets the token once it is also named by a flag, the environment, the file of the user, or token_hosts', async () => {
    const home = await temporaryDirectory();
    const { port, url, requests } = await recordingStore();
    const file = join(home, 'clone/skulk.yaml');
    await writeFiles(home, {
      'clone/skulk.yaml': storeAt(port),
      'listed/machine.yaml': 'token_hosts: [127.0.0.1]\n',
      'xdg/skulk/skulk.yaml': storeAt(port),
      'another/skulk/skulk.yaml': storeAt(port + 1),
    });
    const run = (args: readonly string[], env: Record<string, string>) =>
      runInProcess(['registry', ...args], {
        cwd: join(home, 'clone'),
        env: { SKULK_HOME: join(home, 'h'), HOME: home, SKULK_TOKEN: token, ...env },
      });
    for (const [args, env] of [
      [['--config', file], {}],
      [[], { SKULK_CONFIG: file }],
      [['--store', url], {}],
      [[], { SKULK_STORE: url }],
      [[], { SKULK_HOME: join(home, 'listed') }],
      [[], { XDG_CONFIG_HOME: join(home, 'xdg') }],
    ] as const) {
      const before = requests.length;
      const ended = await run(args, env as Record<string, string>);
      expect(ended, ended.stderr).toMatchObject({ status: 0 });
      expect(requests.slice(before).at(-1)).toMatchObject({ authorization: `Bearer ${token}` });
    }
    const before = requests.length;
    expect(await run([], { XDG_CONFIG_HOME: join(home, 'another') })).toMatchObject({ status: 2 });
    expect(requests.length).toBe(before);
  });

  test('gets the token in the same file, because that belongs to the store, and never one of the environment', async () => {
    const home = await temporaryDirectory();
    const { port, requests } = await recordingStore();
    await writeFiles(home, { 'clone/skulk.yaml': `${storeAt(port)}  auth: {token: its-own-secret}\n` });
    const at = { cwd: join(home, 'clone'), env: { SKULK_HOME: join(home, 'h'), HOME: home } };
    expect(await runInProcess(['registry'], at)).toMatchObject({ status: 0 });
    expect(withToken(requests).map(({ authorization }) => authorization)).toEqual(['Bearer its-own-secret']);
    expect(await runInProcess(['registry'], { ...at, env: { ...at.env, SKULK_TOKEN: token } })).toMatchObject({ status: 2 });
    expect(withToken(requests)).toHaveLength(1);
  });

  test('is named in the first refusal too, so that the token and the store can be set together', async () => {
    const home = await temporaryDirectory();
    await using host = await serveInProcess({ home: join(home, 'host') });
    const policy = (role: string) => runInProcess(['policy', 'set', 'lan', role], { env: { SKULK_HOME: join(home, 'host') } });
    await writeFiles(home, { 'clone/skulk.yaml': storeAt(Number(new URL(host.url).port)) });
    const at = { cwd: join(home, 'clone'), env: { SKULK_HOME: join(home, 'h'), HOME: home } };
    const both = new RegExp(`SKULK_TOKEN[\\s\\S]*also set SKULK_STORE=${host.url}, because`);
    for (const [role, verbs] of [
      ['none', ['registry', 'health', 'nodes']],
      ['read', ['cancel org/m']],
    ] as const) {
      expect(await policy(role)).toMatchObject({ status: 0 });
      for (const verb of verbs) {
        const ended = await runInProcess(verb.split(' '), at);
        expect(`${ended.stdout}${ended.stderr}`, verb).toMatch(both);
        const named = await runInProcess(verb.split(' '), { ...at, env: { ...at.env, SKULK_STORE: host.url } });
        expect(`${named.stdout}${named.stderr}`, verb).toContain('SKULK_TOKEN');
        expect(`${named.stdout}${named.stderr}`, verb).not.toContain('SKULK_STORE');
      }
    }
  });

  test('is asked without a token when there is none, and for its health in any case', async () => {
    const home = await temporaryDirectory();
    const { port, requests } = await recordingStore();
    await writeFiles(home, { 'clone/skulk.yaml': storeAt(port) });
    const at = { cwd: join(home, 'clone'), env: { SKULK_HOME: join(home, 'h'), HOME: home } };
    expect(await runInProcess(['registry'], at)).toMatchObject({ status: 0 });
    await runInProcess(['health', '--json'], { ...at, env: { ...at.env, SKULK_TOKEN: token } });
    const doctor = await runInProcess(['doctor'], { ...at, env: { ...at.env, SKULK_TOKEN: token } });
    expect(doctor.stdout).toContain('may not decide where a token is sent');
    expect(withToken(requests)).toEqual([]);
  });

  test('does not get the token from a node either, which does not start', async () => {
    const home = await temporaryDirectory();
    const { port, requests } = await recordingStore();
    await writeFiles(home, { 'clone/skulk.yaml': storeAt(port) });
    const env = { SKULK_HOME: join(home, 'h'), HOME: home, SKULK_TOKEN: token };
    const ended = await runInProcess(['serve', '--host', '127.0.0.1', '--port', '0', '--api-port', '0'], { cwd: join(home, 'clone'), env });
    expect(ended, ended.stderr).toMatchObject({ status: 2, stdout: '' });
    expect(withToken(requests)).toEqual([]);
  });
});

test('a redirect is not followed, so no other host gets the token', async () => {
  const home = await temporaryDirectory();
  const other = await recordingStore();
  const { url, requests } = await recordingStore({ redirectTo: other.url });
  const env = { SKULK_HOME: home, SKULK_TOKEN: token, SKULK_STORE: url };
  for (const verb of [['registry'], ['stage', 'org/m'], ['download', 'org/m'], ['delete', 'org/m', '--yes']]) {
    const ended = await runInProcess(verb, { env });
    expect(ended, ended.stderr).toMatchObject({ status: 4, stdout: '' });
    expect(ended.stderr).toContain('redirect');
  }
  expect(withToken(requests).length).toBeGreaterThan(0);
  expect(other.requests).toEqual([]);
});

test('a node forwards the token of its caller, but not to a store that was only found by mDNS', async () => {
  const home = await temporaryDirectory();
  const { url, port, requests } = await recordingStore();
  await writeFiles(home, { 'clone/skulk.yaml': storeAt(port), 'named/skulk.yaml': storeAt(port) });
  const start = (name: string, env: Record<string, string>) => serveInProcess({ home: join(home, name), args: ['--role', 'node'], env });
  const headers = { Authorization: `Bearer ${token}` };

  const named = await start('a', { SKULK_STORE: url });
  await ask(named.apiUrl, '/store/registry', { headers });
  await named.stop();
  const known = withToken(requests);
  expect(known.map(({ path }) => path)).toEqual(['/session', '/store/registry']);

  // A configuration of the working tree: no user confirmed it, so it gets no token.
  const running = startSkulk(['serve', '--role', 'node', '--host', '127.0.0.1', '--port', '0', '--api-port', '0', '--json'], {
    cwd: join(home, 'clone'),
    env: { SKULK_HOME: join(home, 'b'), HOME: home },
  });
  await expect.poll(() => running.stdout()).toContain('ready');
  const { api_url } = JSON.parse(running.stdout()) as { api_url: string };
  expect((await ask(api_url, '/store/registry', { headers })).json()).toMatchObject({ code: 'TOKEN_WITHHELD' });
  expect((await ask(api_url, '/store/registry')).status).toBe(200);
  // The node also reports itself, whenever it comes to that.
  expect(requests.findLast(({ path }) => path === '/store/registry')).toMatchObject({ authorization: null });
  expect(withToken(requests)).toEqual(known);
});

describe('the names of a store', () => {
  interface Chosen {
    flags?: SettingFlags;
    env?: Record<string, string>;
    tokenHosts?: string[];
  }
  const configOf = (yaml: string, { flags = {}, env = {}, tokenHosts = [] }: Chosen = {}) =>
    resolveConfig(testWorld('/home/me', { env }), {
      ...parseConfig(yaml, '/f'),
      file: '/f',
      flags,
      nodeId: undefined,
      skulkHome: '/home/me',
      tokenHosts,
    });
  const guardOf = (yaml: string, chosen: Chosen = {}) => {
    const config = configOf(yaml, chosen);
    return guardToken(config, remoteUrl(config) ?? 'http://10.9.9.9:58080');
  };
  const named = (host: string): string => `model_store: {store_host: ${host}}`;

  test.each(['nas.local', 'NAS.Local.', 'deep.nas.local'])('%s is an mDNS name', (host) => {
    expect(guardOf(named(host)).withheld).toMatchObject({ code: 'TOKEN_WITHHELD', message: expect.stringContaining('mDNS') });
  });

  test.each(['nas', 'nas.fritz.box', 'local', 'nas.local.example.org'])(
    '%s is not an mDNS name, but must not be resolved only by mDNS',
    (host) => {
      const { withheld, whenOnlyMdns } = guardOf(named(host));
      expect(withheld).toBeUndefined();
      expect(whenOnlyMdns?.(host, '10.0.0.1')).toMatchObject({ code: 'TOKEN_WITHHELD', message: expect.stringContaining('10.0.0.1') });
    },
  );

  test.each(['10.9.9.9', 'fd00::1'])('the address %s can get a token like a name', (host) => {
    expect(guardOf(named(JSON.stringify(host)))).toEqual({});
  });

  test('a store in --store or SKULK_STORE is trusted, also with an mDNS name that the system resolves', () => {
    expect(guardOf('', { flags: { store: 'http://nas.local:1' } }).withheld).toBeUndefined();
    expect(guardOf('', { env: { SKULK_STORE: 'http://nas.local:1' } }).withheld).toBeUndefined();
  });

  test('the address in --advertise of this machine is not the address of the store', () => {
    const content = { model_store: { store_host: 'nas' } };
    expect(remoteUrl(testConfig(testWorld('/home/me'), { content, flags: { advertise: '10.0.0.5' } }))).toBe('http://nas:58080');
  });

  test('an automatically found store gets no token', () => {
    expect(guardOf('').withheld).toMatchObject({ hint: expect.stringContaining('SKULK_STORE=http://10.9.9.9:58080') });
  });

  test.each([
    ['', undefined, 'SKULK_STORE=http://10.9.9.9:58080, because no token is sent to a store that no setting names'],
    [named('10.0.0.1'), undefined, undefined],
    [named('nas'), undefined, undefined],
    [named('nas'), '10.0.0.7', 'SKULK_STORE=http://10.0.0.7:58080 or store_http_host: 10.0.0.7, because no token'],
    [named('nas.local'), '10.0.0.7', 'SKULK_STORE=http://10.0.0.7:58080 or store_http_host: 10.0.0.7, because no token'],
  ])('a client without a token learns what else a token needs: %s, known by mDNS at %s', async (yaml, learned, needs) => {
    const config = configOf(yaml);
    const asked = tokenNeeds(config, remoteUrl(config) ?? 'http://10.9.9.9:58080', { isOwnServer: false, learned });
    await expect(asked).resolves.toEqual(needs === undefined ? undefined : expect.stringContaining(needs));
  });

  test.each([
    ['NAS.local', 'nas.local.'],
    ['nas.local:58080', 'nas.local'],
    ['10.9.9.9', '10.9.9.9'],
  ])('token_hosts: %s allows %s', (entry, host) => {
    expect(guardOf(named(host), { tokenHosts: [entry] })).toEqual({});
  });

  test.each(['nas', 'local', 'as.local', 'nas.local.evil'])('token_hosts: %s does not affect nas.local', (entry) => {
    expect(guardOf(named('nas.local'), { tokenHosts: [entry] }).withheld).toBeDefined();
  });
});
