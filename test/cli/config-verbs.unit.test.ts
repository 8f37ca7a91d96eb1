import { chmod, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CliResult, runCli } from '../helpers/run-cli.ts';
import { wants } from '../helpers/wants.ts';

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'skulk-config-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const skulk = (argv: readonly string[], env: Record<string, string> = {}): Promise<CliResult> => runCli(argv, { cwd, env });
const write = (text: string, name = 'skulk.yaml'): Promise<void> => writeFile(join(cwd, name), text);

describe('skulk config', () => {
  test('shows defaults without a file, and reports that no file exists', async () => {
    const { stdout } = await skulk(['config', 'show', '--json']);
    const { file, settings } = JSON.parse(stdout);
    expect(file).toBeNull();
    expect(settings).toContainEqual({ key: 'model_store.store_port', value: 58080, origin: 'default' });
    expect(await skulk(['config', 'path'])).toMatchObject({
      status: 0,
      stdout: '',
      stderr: expect.stringContaining('no configuration file'),
    });
  });

  test('shows the origin and line of each value, but no secret', async () => {
    await write('model_store:\n  store_host: kite3\n  store_port: 9000\nhf_token: hf_verysecret1\n');
    const { stdout } = await skulk(['config', 'show', '--origin', '--store', 'http://h:1'], { SKULK_TOKEN: 'hush-hush' });
    expect(stdout).toMatch(/store_port +9000 +\S+skulk\.yaml:3$/m);
    expect(stdout).toMatch(/store_url +http:\/\/h:1 +flag --store/);
    expect(stdout).toMatch(/^model_store\.auth\.token +\(set, not shown\) +environment SKULK_TOKEN/m);
    expect(stdout).not.toMatch(/verysecret|hush-hush/);
  });

  test('finds the file in a parent directory, and names a broken file', async () => {
    await write('not: [yaml');
    await mkdir(join(cwd, 'a/b'), { recursive: true });
    const result = await runCli(['config', 'path'], { cwd: join(cwd, 'a/b') });
    expect(result).toMatchObject({ status: 0, stdout: `${join(cwd, 'skulk.yaml')}\n` });
  });

  test('init writes a file that validates, and does not overwrite it', async () => {
    expect(await skulk(['config', 'init', '--store-host', 'kite3'])).toMatchObject({ status: 0 });
    expect(await skulk(['config', 'validate'])).toMatchObject({ status: 0, stderr: '' });
    const before = await readFile(join(cwd, 'skulk.yaml'), 'utf8');
    expect(await skulk(['config', 'init', '--store-host', 'other'])).toMatchObject({ status: 5, stdout: '' });
    expect(await readFile(join(cwd, 'skulk.yaml'), 'utf8')).toBe(before);
    expect(await skulk(['config', 'init', '--store-host', 'other', '--force'])).toMatchObject({ status: 0 });
    expect(await readFile(join(cwd, 'skulk.yaml'), 'utf8')).toContain('store_host: "other"');
    expect(await readdir(cwd)).toEqual(['skulk.yaml']);
  });

  test('init says what to do on this machine, and names a file only if commands do not find it', async () => {
    const last = async (...args: readonly string[]) =>
      (await skulk(['config', 'init', '--force', ...args])).stdout.trimEnd().split('\n').at(-1);
    expect(await last()).toBe('next: skulk serve');
    expect(await last('--store-host', 'other')).toBe('next: skulk health');
    const named = join(cwd, 'my file.yaml');
    expect(await last('--config', named)).toBe(`next: skulk serve --config '${named}'`);
    expect(await last('--config', join(cwd, 'skulk.yaml'), '--store-host', 'other')).toBe('next: skulk health');
    expect((await skulk(['config', 'init', '--force', '-q'])).stdout).toBe(`wrote ${join(cwd, 'skulk.yaml')}\n`);
  });

  test('init warns at once if the directory of the store does not exist, and says what to do', async () => {
    const missing = join(cwd, 'missing', 'store');
    const ended = await skulk(['config', 'init', '--store-path', missing]);
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining('wrote ') });
    expect(ended.stderr).toMatch(/^skulk: warning: .*skulk\.yaml:\d+: store_path .* does not exist$/m);
    expect(ended.stderr).toContain(`hint: mount the disk that holds it, or create it: mkdir -p ${missing}\n`);
    await mkdir(missing, { recursive: true });
    expect(await skulk(['config', 'init', '--force', '--store-path', missing])).toMatchObject({ status: 0, stderr: '' });
  });

  test('init --print writes nothing', async () => {
    const { stdout } = await skulk(['config', 'init', '--print', '--store-path', '/srv/models']);
    expect(stdout).toContain('store_path: "/srv/models"');
    expect(await readdir(cwd)).toEqual([]);
  });

  test('init does not bind the copies to the home directory in which skulk keeps its data now', async () => {
    for (const env of [{}, { SKULK_HOME: '' }, { SKULK_HOME: '~/.skulk' }, { SKULK_HOME: join(cwd, 'elsewhere') }]) {
      const { stdout } = await runCli(['config', 'init', '--print'], { cwd, env: { HOME: cwd, ...env } });
      expect(/^.*node_cache_path: (?!\/mnt).*$/m.exec(stdout)?.[0].trim()).toBe('# node_cache_path: $SKULK_HOME/staging');
    }
  });

  test('refuses an option of another action', async () => {
    expect(await skulk(['config', 'show', '--force'])).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('the examples of the documentation load', () => {
  test('with the minimal settings', async () => {
    await write(`model_store:\n  enabled: true\n  store_host: kite3\n  store_path: ${cwd}\n`);
    expect(await skulk(['config', 'validate'])).toMatchObject({ status: 0 });
  });

  test('with overrides, sections of another program and a token', async () => {
    await write(`inference: {x: 1}
logging: [a]
model_store:
  enabled: true
  store_host: KITE3.local.
  store_http_host: 192.168.1.10
  store_port: 58080
  store_path: $HOME
  api_port: 52415
  download: {allow_hf_fallback: false}
  staging:
    enabled: true
    node_cache_path: ~/.skulk/staging
    cleanup_on_deactivate: true
    staging_keep_recent_gb: 40
  node_overrides:
    kite3:
      staging:
        node_cache_path: ~/models
hf_token: hf_abcdefgh
`);
    expect(await skulk(['config', 'validate'])).toMatchObject({ status: 0 });
    const { settings, is_store_host } = JSON.parse((await skulk(['config', 'show', '--json'])).stdout);
    expect(is_store_host).toBe(true);
    expect(settings).toContainEqual(
      expect.objectContaining({
        key: 'model_store.staging.node_cache_path',
        value: join(cwd, 'models'),
        origin: expect.stringContaining('skulk.yaml:19: '),
      }),
    );
  });
});

test('validate says that an empty file leaves the defaults', async () => {
  for (const text of ['', '# nothing yet\n']) {
    await write(text);
    expect((await skulk(['config', 'validate'])).stdout).toContain('note: the file has no settings, so the defaults apply');
  }
});

test('a port of a URL that is too high is refused with the range', async () => {
  for (const url of ['http://h:99999', 'h:99999'])
    expect(await skulk(['config', 'show', '--store', url])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('from 1 to 65535'),
    });
});

test('validate reports keys that the Python program refuses and keys that skulk ignores, and succeeds', async () => {
  await write(
    `model_store:\n  store_host: kite3\n  store_path: ${cwd}\n  cards_path: ${cwd}\n  download: {max_concurrent: 3}\n  reconciliation: {enabled: yes}\n`,
  );
  const { status, stdout } = await skulk(['config', 'validate', '--json']);
  expect(status).toBe(0);
  expect(JSON.parse(stdout).notes).toEqual([
    expect.stringMatching(/skulk\.yaml:6: model_store\.reconciliation/),
    expect.stringMatching(/skulk\.yaml:4: .*rejects model_store\.cards_path/),
    expect.stringMatching(/skulk\.yaml:5: .*rejects model_store\.download\.max_concurrent/),
  ]);
  expect((await skulk(['config', 'validate'])).stdout).toContain('note: ');
  // A command prints it only with --verbose.
  expect((await skulk(['config', 'show'])).stderr).toBe('');
});

describe('bad input is refused with file, line, key and hint', () => {
  const under = (text: string): string => `model_store:\n  store_host: kite3\n  ${text}\n`;

  test.each([
    ['not YAML', 'model_store: [1, 2\nother: x\n', /skulk\.yaml:\d+:\d+: not YAML/],
    ['a list', '- a\n', /skulk\.yaml:1: it must be a mapping/],
    ['a string for a number', under('store_port: many'), /skulk\.yaml:3: model_store\.store_port must be an integer/],
    [
      'a negative budget',
      under('staging: {staging_keep_recent_gb: -1}'),
      /skulk\.yaml:3: model_store\.staging\.staging_keep_recent_gb must be >= 0/,
    ],
    ['an empty name', 'model_store:\n  store_host: ""\n', /skulk\.yaml:2: model_store\.store_host must not be empty\n/],
    ['an empty address', under('store_http_host: ""'), /skulk\.yaml:3: model_store\.store_http_host must not be empty or must be null\n/],
    ['a short token', under('auth: {token: abc}'), /skulk\.yaml:3: model_store\.auth\.token must have at least 8 characters\n/],
    ['two documents', '---\nmodel_store: {}\n---\nhf_token: x\n', /skulk\.yaml:3: it contains several YAML documents\n.*keep one/],
    [
      'aliases that multiply',
      `a: &a [${'x,'.repeat(99)}x]\nb: &b [${'*a,'.repeat(99)}*a]\nc: [${'*b,'.repeat(99)}*b]\n`,
      /skulk\.yaml: its YAML aliases expand to too many values\n/,
    ],
    ['an alias without an anchor', 'model_store: *nope\n', /skulk\.yaml: Unresolved alias .*nope\n/],
    ['a port that is none', under('store_port: 70000'), /skulk\.yaml:3: model_store\.store_port must be a port from 1 to 65535/],
    [
      'a URL as store_host',
      'model_store:\n  store_port: 9\n  store_host: http://kite3:58080\n',
      /skulk\.yaml:3: store_host is "http:\/\/kite3:58080", which is not a host name/,
    ],
    [
      'a port in store_host',
      'model_store:\n  store_port: 9\n  store_host: kite3:58080\n',
      /skulk\.yaml:3: store_host is .*[\s\S]*store_port/,
    ],
    ['an unknown key', under('store_prot: 9000'), /skulk\.yaml:3: model_store\.store_prot is not known[\s\S]*did you mean "store_port"\?/],
    ['a relative store_path', under('store_path: models'), /skulk\.yaml:3: model_store\.store_path is "models", a relative path/],
    ['a variable that is not set', under('store_path: $NOWHERE/x'), /skulk\.yaml:3: .*\$NOWHERE/],
    [
      'a directory that is not there',
      under('store_path: /nonexistent/store'),
      /skulk\.yaml:3: store_path \/nonexistent\/store does not exist/,
    ],
    [
      'a directory on a macOS disk that is not mounted',
      under('store_path: /Volumes/Models/store'),
      /store_path \/Volumes\/Models\/store does not exist\nhint: connect and mount the disk \/Volumes\/Models$/m,
    ],
    [
      'a relative path in an override of another machine',
      under('node_overrides: {m5.lan: {staging: {node_cache_path: x}}}'),
      /skulk\.yaml:3: model_store\.node_overrides\.m5\.lan\.staging\.node_cache_path is "x"/,
    ],
    ['a file where a directory belongs', under('store_path: /dev/null'), /skulk\.yaml:3: store_path \/dev\/null is not a directory/],
  ])('%s', async (_, text, expected) => {
    await write(text);
    const { status, stdout, stderr } = await skulk(['config', 'validate']);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(expected);
    expect(stderr).toMatch(/^hint: ./m);
    expect(stderr).not.toMatch(/this is a bug|^ +at /m);
  });

  test('for several faults at once: in the order of the lines, each with its own suggestion', async () => {
    await write('model_store:\n  store_port: many\n  store_hots: kite3\n  api_port: 0\n  staging: {keep_recnt: 1, enbled: true}\n');
    const { status, stderr } = await skulk(['config', 'validate']);
    expect(status).toBe(2);
    expect(stderr.replaceAll(`${cwd}/`, '').trimEnd().split('\n')).toEqual([
      'skulk: skulk.yaml:2: model_store.store_port must be an integer',
      'skulk.yaml:3: model_store.store_hots is not known (did you mean "store_host"?)',
      'skulk.yaml:4: model_store.api_port must be >= 1',
      expect.stringMatching(/^skulk.yaml:5: model_store.staging.keep_recnt is not known \(known keys: enabled, /),
      'skulk.yaml:5: model_store.staging.enbled is not known (did you mean "enabled"?)',
      'hint: `man 5 skulk-config` describes every key',
    ]);
  });

  test('for a directory instead of the file', async () => {
    await mkdir(join(cwd, 'd'));
    expect(await skulk(['config', 'show', '--config', 'd'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is a directory'),
    });
  });

  test('for an explicitly named file that does not exist', async () => {
    expect(await skulk(['config', 'show'], { SKULK_CONFIG: '/nonexistent.yaml' })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('/nonexistent.yaml does not exist'),
    });
  });

  test('for a file of 50 MB, without reading it', async () => {
    await write('');
    await truncate(join(cwd, 'skulk.yaml'), 50_000_000);
    expect(await skulk(['config', 'validate'])).toMatchObject({ status: 2, stderr: expect.stringContaining('50000000 bytes') });
  });

  test('for a directory that is not writable', wants('a user who is not root'), async () => {
    await mkdir(join(cwd, 'store'));
    await chmod(join(cwd, 'store'), 0o500);
    await write(under('store_path: ~/store'));
    expect(await skulk(['config', 'validate'])).toMatchObject({ status: 2, stderr: expect.stringContaining('cannot be written') });
  });

  test('for an invalid store URL', async () => {
    const { status, stderr } = await skulk(['config', 'show', '--store', 'http://me:pass@host']);
    expect(status).toBe(2);
    expect(stderr).not.toContain('pass@');
  });
});
