import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/core/config/read-file.ts';
import { resolveConfig } from '../../src/core/config/resolve/resolve-config.ts';
import type { Config, SettingFlags } from '../../src/core/config/settings.ts';
import { sameHostname } from '../../src/core/kernel/machine/hostname.ts';
import type { World } from '../../src/core/kernel/world.ts';
import { testWorld } from '../helpers/world.ts';

interface Machine {
  readonly hostname?: string;
  readonly nodeId?: string;
  readonly env?: Record<string, string>;
  readonly flags?: SettingFlags;
}

function resolve(yaml: string, { hostname = 'kite3', nodeId, env = {}, flags = {} }: Machine = {}): Config {
  const world: World = {
    env,
    cwd: '/work',
    platform: 'linux',
    hostname,
    homeDirectory: '/home/me',
    user: () => 'me',
    version: '0',
    now: () => new Date(0),
    signal: new AbortController().signal,
    emit: () => undefined,
  };
  return resolveConfig(world, {
    ...parseConfig(yaml, '/etc/skulk.yaml'),
    file: '/etc/skulk.yaml',
    flags,
    nodeId,
    skulkHome: '/home/me/.skulk',
  });
}

describe('the precedence of settings', () => {
  test('has defaults without a file', () => {
    const { settings, isStoreHost, isStoreNamed } = resolve('');
    expect(settings.storePath).toEqual({ value: '/home/me/.skulk/store', origin: { from: 'default' } });
    expect([isStoreHost, isStoreNamed]).toEqual([true, false]);
  });

  test('prefers a flag to the file, and shows its origin', () => {
    const yaml = 'model_store:\n  store_port: 9000\n  store_path: /srv\n';
    expect(resolve(yaml).settings.storePort).toEqual({
      value: 9000,
      origin: { from: 'file', file: '/etc/skulk.yaml', line: 2, key: 'model_store.store_port' },
    });
    const { settings } = resolve(yaml, { flags: { port: 0, storePath: 'here' } });
    expect(settings.storePort).toEqual({ value: 0, origin: { from: 'flag', name: '--port' } });
    expect(settings.storePath.value).toBe('/work/here');
  });

  test.each([
    ['mac-studio-1:58080', 'http://mac-studio-1:58080'],
    ['192.168.1.10', 'http://192.168.1.10:58080'],
    ['[fe80::1]:9000', 'http://[fe80::1]:9000'],
    ['https://a.example/skulk', 'https://a.example/skulk'],
  ])('reads --store %s as %s', (text, url) => {
    expect(resolve('', { flags: { store: text } }).settings.storeUrl.value).toBe(url);
    expect(resolve('', { env: { SKULK_STORE: text } }).settings.storeUrl.value).toBe(url);
  });

  test.each(['mac-studio-1', 'ftp://a:1', 'a b:1', 'file'])('refuses --store %s', (text) => {
    expect(() => resolve('', { flags: { store: text } })).toThrow(/is not the URL of a store/);
  });

  test.each([
    ['SKULK_STORE', 'SKULK_TOKEN'],
    ['SKULK_UPSTREAM', 'SKULK_UPSTREAM_TOKEN'],
    ['SKULK_SECOND_STORES', 'SKULK_SECOND_TOKEN'],
  ])('refuses a bad URL in %s, names %s for the token, and does not repeat a password', (name, token) => {
    const run = (): Config => resolve('', { env: { [name]: 'http://me:secret@a:1' } });
    expect(run).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret'), hint: expect.stringMatching(new RegExp(`in ${token}$`)) }),
    );
  });

  test.each([
    ['SKULK_TOKEN', { env: { SKULK_TOKEN: ' a-token\r\n' } }, 'token'],
    ['--token', { flags: { token: 'a-token\n' } }, 'token'],
    ['HF_TOKEN', { env: { HF_TOKEN: 'a-token\n' } }, 'hubToken'],
  ] as const)('takes %s without white space around it', (_, sources, key) => {
    expect(resolve('', sources).settings[key].value).toBe('a-token');
  });

  test.each([
    ['SKULK_TOKEN', '', { env: { SKULK_TOKEN: 'se\ncret' } }],
    ['SKULK_TOKEN', '', { env: { SKULK_TOKEN: ' ' } }],
    ['--token', '', { flags: { token: 'sécret' } }],
    ['HF_TOKEN', '', { env: { HF_TOKEN: 'se cret' } }],
    ['hf_token', 'hf_token: "se cret"', {}],
  ] as const)('refuses a text in %s that cannot be a token, and does not repeat it', (name, yaml, sources) => {
    expect(() => resolve(yaml, sources)).toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: expect.stringMatching(new RegExp(`${name} must consist of printable ASCII characters without spaces$`)),
      }),
    );
  });

  test('prefers a flag to the environment, and the environment to the file', () => {
    const env = { SKULK_STORE: 'http://a:1', HF_TOKEN: 'fromEnv', HF_HUB_OFFLINE: '1' };
    const yaml = 'model_store: {download: {allow_hf_fallback: true}}\nhf_token: fromFile\n';
    expect(resolve(yaml, { env }).settings).toMatchObject({
      storeUrl: { value: 'http://a:1' },
      hubToken: { value: 'fromEnv' },
      allowHubFallback: { value: false },
    });
    expect(resolve(yaml, { env, flags: { store: 'http://b:2' } }).settings.storeUrl.value).toBe('http://b:2');
    expect(resolve(yaml, { env: { HF_TOKEN: '' } }).settings.hubToken.value).toBe('fromFile');
  });

  test('makes this machine a node if a store is given explicitly', () => {
    expect(resolve('', { flags: { store: 'http://b:2' } })).toMatchObject({ isStoreHost: false, isStoreNamed: true });
  });
});

describe('overrides for single machines', () => {
  const yaml = `model_store:
  store_host: other
  staging: {node_cache_path: /base, staging_keep_recent_gb: 10}
  node_overrides:
    Kite3.local:
      staging: {node_cache_path: /first}
    kite3:
      staging: {node_cache_path: /second, staging_keep_recent_gb: 0}
    node-1:
      staging: {enabled: false}
`;

  test('merge field by field, and the first match wins', () => {
    const { nodeCachePath, keepRecentBytes, stagingEnabled } = resolve(yaml).settings;
    expect(nodeCachePath).toMatchObject({
      value: '/first',
      origin: { key: 'model_store.node_overrides.Kite3.local.staging.node_cache_path', line: 6 },
    });
    expect([keepRecentBytes.value, stagingEnabled.value]).toEqual([10 * 1024 ** 3, true]);
  });

  test('match by node id, exactly', () => {
    expect(resolve(yaml, { hostname: 'x', nodeId: 'node-1' }).settings.stagingEnabled.value).toBe(false);
    expect(resolve(yaml, { hostname: 'x', nodeId: 'NODE-1' }).settings.stagingEnabled.value).toBe(true);
  });

  test('match the name of the store host when it resolves to this machine, and a match without settings does not end the search', () => {
    const text =
      'model_store:\n  store_host: nas.fritz.box\n  node_overrides:\n    kite3: {}\n    NAS.fritz.box: {staging: {enabled: false}}\n';
    const sources = { ...parseConfig(text, '/f'), file: '/f', flags: {}, nodeId: undefined, skulkHome: '/h' };
    const world = testWorld('/h');
    expect(resolveConfig({ ...world, hostname: 'nas.local' }, { ...sources, aliases: ['nas.fritz.box'] })).toMatchObject({
      isStoreHost: true,
      settings: { stagingEnabled: { value: false } },
    });
    expect(resolveConfig({ ...world, hostname: 'nas.local' }, sources)).toMatchObject({
      isStoreHost: false,
      settings: { stagingEnabled: { value: true } },
    });
    expect(resolveConfig({ ...world, hostname: 'kite3' }, { ...sources, aliases: ['nas.fritz.box'] }).settings.stagingEnabled.value).toBe(
      false,
    );
  });

  test('of another machine do not matter', () => {
    expect(resolve(yaml, { hostname: 'x' }).settings.nodeCachePath.value).toBe('/base');
  });
});

describe('the address of the store', () => {
  const text = (key: string, value: string) => `model_store:\n  store_host: other\n  ${key}: ${JSON.stringify(value)}\n`;
  test.each(['http://10.0.0.1', '10.0.0.1:58080', '999.1.1.1', 'a b', '10.0.0.1/24', 'me@nas', 'nas?x', 'nas#x', 'a\\b', 'fe80::1%eth0'])(
    '%s is refused on a node, with the key and the line',
    (address) => {
      expect(() => resolve(text('store_http_host', address))).toThrow(
        `/etc/skulk.yaml:3: store_http_host is ${JSON.stringify(address)}, which is not a host name`,
      );
      expect(() => resolve(`model_store:\n  store_host: ${JSON.stringify(address)}\n`)).toThrow(/^\/etc\/skulk\.yaml:2: store_host is /);
    },
  );

  test.each(['10.0.0.1', 'nas.local', 'fe80::1', 'büro', 'under_score'])('%s is accepted', (address) => {
    expect(resolve(text('store_http_host', address)).settings.storeHttpHost.value).toBe(address);
  });

  test('the store host ignores one that nobody can use, like the Python program', () => {
    const yaml = 'model_store:\n  store_host: kite3\n  store_http_host: http://10.0.0.1\n';
    expect(resolve(yaml).isStoreHost).toBe(true);
  });
});

describe('the budget', () => {
  test.each([
    ['.inf', Number.MAX_SAFE_INTEGER],
    ['1.0e+300', Number.MAX_SAFE_INTEGER],
    ['999999999', Number.MAX_SAFE_INTEGER],
    ['1.5', 1.5 * 1024 ** 3],
  ])('of %s GiB is a number of bytes that JSON and sums can hold', (gib, bytes) => {
    const yaml = `model_store:\n  staging:\n    staging_keep_recent_gb: ${gib}\n`;
    expect(resolve(yaml).settings.keepRecentBytes.value).toBe(bytes);
  });
});

describe('host names', () => {
  test.each([
    ['kite3', 'KITE3', true],
    ['kite3', 'kite3.local', true],
    ['kite3.', 'kite3.local.', true],
    ['kite3', 'kite30', false],
    ['kite3.lan', 'kite3', true],
    ['KITE3', 'kite3.example.com.', true],
    ['nas.fritz.box', 'nas.local', false],
    ['nas.fritz.box', 'NAS.Fritz.Box.', true],
    ['nas.fritz.box', 'fritz', false],
    ['nas', 'nas2.local', false],
    ['10', '10.0.0.1', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['', '.local', false],
  ])('called %j and %j are the same: %s', (a, b, same) => {
    expect(sameHostname(a, b)).toBe(same);
  });

  test.each([
    ['KITE3.local', undefined, true],
    ['node-7', 'node-7', true],
    ['127.0.0.1', undefined, true],
    ['localhost', undefined, true],
    ['kite3.fritz.box', undefined, true],
    ['other', undefined, false],
  ])('store_host %s with node id %s makes this machine the store host: %s', (storeHost, nodeId, isHost) => {
    expect(resolve(`model_store: {store_host: ${storeHost}}`, { ...(nodeId && { nodeId }) }).isStoreHost).toBe(isHost);
  });
});

describe('paths in the configuration', () => {
  test('expand ~ and variables', () => {
    const yaml = 'model_store: {store_path: "$DISK/m", staging: {node_cache_path: "~/s"}}';
    expect(resolve(yaml, { env: { DISK: '/mnt' } }).settings).toMatchObject({
      storePath: { value: '/mnt/m' },
      nodeCachePath: { value: '/home/me/s' },
    });
  });

  test('must be absolute, and an error says where they are not', () => {
    expect(() => resolve('model_store:\n  store_path: m\n')).toThrow('/etc/skulk.yaml:2: model_store.store_path is "m", a relative path');
  });
});
