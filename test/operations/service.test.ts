import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { unitFile, withPaths } from '../../src/core/operations/service/unit-file.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { runSkulk, startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const systemd = '/lib/systemd/systemd';
const hasSystemd = existsSync(systemd) && spawnSync('systemd-analyze', ['--version']).status === 0;

describe('the unit of the service', () => {
  const content = {
    command: ['/opt/a b/node', '/x/"q"\\%d$HOME&<y>.js', 'serve'],
    refresh: ['/opt/a b/node', '/x.js', 'service', 'refresh'],
    environment: { SKULK_HOME: '/h 100%' },
    writable: ['/srv/my models', '/h 100%', `/q"uo'te\\s`],
    logFile: '/l&g',
  };

  usualTest('starts the given command under systemd, with any name', () => {
    const unit = unitFile('systemd', content);
    expect(unit).toContain('ExecStart="/opt/a b/node" "/x/\\"q\\"\\\\%%d$$HOME&<y>.js" "serve"\n');
    expect(unit).toContain('Environment="SKULK_HOME=/h 100%%"\n');
  });

  usualTest('sandboxes the server under systemd to the directories that it writes to, and starts without missing ones', () => {
    const unit = unitFile('systemd', content);
    for (const line of [
      'ProtectSystem=strict',
      'NoNewPrivileges=yes',
      'PrivateTmp=yes',
      'RestartPreventExitStatus=2',
      'Restart=on-failure',
    ])
      expect(unit.split('\n')).toContain(line);
    expect(unit.match(/^ReadWritePaths=.*/gm)).toEqual([
      'ReadWritePaths="-/srv/my models"',
      'ReadWritePaths="-/h 100%%"',
      `ReadWritePaths="-/q\\"uo'te\\\\s"`,
    ]);
    expect(unit).not.toContain('RequiresMountsFor');
    expect(unit).toMatch(/^ExecStartPre=-\+"\/opt\/a b\/node" .* "refresh"$/m);
  });

  usualTest('shares /tmp under systemd if a configured path is there, which a private /tmp would hide', () => {
    expect(unitFile('systemd', { ...content, writable: ['/var/tmp/store'] })).toContain('PrivateTmp=no\n');
    expect(unitFile('systemd', { ...content, command: ['/tmp/node', 'serve'] })).toContain('PrivateTmp=no\n');
    expect(unitFile('systemd', { ...content, writable: ['/tmpfs/store'] })).toContain('PrivateTmp=yes\n');
  });

  longTest.skipIf(!hasSystemd)('is parsed by systemd as intended', async () => {
    const directory = await temporaryDirectory();
    await chmod(directory, 0o755);
    await mkdir(join(directory, 'systemd/user'), { recursive: true });
    const file = join(directory, 'systemd/user/skulk.service');
    await writeFile(file, unitFile('systemd', { ...content, command: ['/bin/sh', '/x/"q"\\%d$HOME&<y>.js'], refresh: ['/bin/true'] }));
    const env = { PATH: process.env['PATH'] ?? '', HOME: directory, XDG_CONFIG_HOME: directory, XDG_RUNTIME_DIR: directory };
    const verified = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', file], { env, encoding: 'utf8' });
    expect(verified).toMatchObject({ status: 0, stderr: '' });
    const shown = spawnSync(systemd, ['--test', '--user', '--unit=skulk.service'], {
      env,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      ...(process.getuid?.() === 0 && { uid: 65534, gid: 65534 }),
    });
    expect(shown.stdout).toContain(`ReadWritePaths: -/srv/my models -/h 100% -/q"uo'te\\s\n`);
    expect(shown.stdout).toContain('Environment: SKULK_HOME=/h 100%\n');
  });

  usualTest('gets changed directories without losing edits of the user', () => {
    const edited = unitFile('systemd', content).replace('RestartSec=5', 'RestartSec=60');
    const rewritten = withPaths(edited, { ...content, writable: ['/other'] });
    expect(rewritten.match(/^ReadWritePaths=.*/gm)).toEqual(['ReadWritePaths="-/other"']);
    expect(rewritten).toContain('RestartSec=60\n');
    expect(withPaths(rewritten, content)).toBe(edited);
  });

  usualTest('is valid XML for launchd, with any names', () => {
    const unit = unitFile('launchd', content);
    expect(unit).toContain('<string>/x/"q"\\%d$HOME&amp;&lt;y&gt;.js</string>');
    expect(unit).toContain('<string>/l&amp;g</string>');
  });

  usualTest('never contains an injected line', () => {
    for (const manager of ['systemd', 'launchd'] as const)
      for (const evil of [{ environment: { SKULK_STORE: 'x\nExecStartPre=/bin/evil' } }, { writable: ['/a\nReadWritePaths=/'] }])
        expect(() => unitFile(manager, { ...content, ...evil })).toThrow(/cannot be written/);
  });
});

longTest('service install writes and starts the unit once, and uninstall removes files that skulk created', async () => {
  const home = await temporaryDirectory();
  await mkdir(join(home, 'bin'));
  // The real one needs a login session; this one records its arguments.
  await writeFile(join(home, 'bin/systemctl'), `#!/bin/sh\necho "$@" >> ${home}/told\ntest ! -e ${home}/broken\n`);
  await chmod(join(home, 'bin/systemctl'), 0o755);
  const env = {
    HOME: home,
    SKULK_HOME: join(home, 'skulk home'),
    PATH: `${join(home, 'bin')}:${process.env['PATH']}`,
    SKULK_TOKEN: 'secret-token',
  };
  const service = (...args: readonly string[]) => runSkulk(['service', ...args, '--for', 'systemd'], { env });
  const unit = join(home, '.config/systemd/user/skulk.service');
  expect(await service('uninstall')).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing to do') });
  expect(await service('install')).toMatchObject({ status: 0, stderr: '' });
  const text = await readFile(unit, 'utf8');
  expect(text).toContain(`Environment="SKULK_HOME=${join(home, 'skulk home')}"`);
  expect(text).not.toContain('secret-token');
  expect((await service('print')).stdout).toBe(text);
  expect(await readFile(join(home, 'told'), 'utf8')).toBe(
    '--user show --property=Version\n--user daemon-reload\n--user enable skulk.service\n--user restart skulk.service\n',
  );
  expect(await service('install')).toMatchObject({ status: 0, stdout: expect.stringContaining('already') });

  await writeFile(join(home, 'broken'), '');
  expect(await service('install')).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('there is no systemd user session here'),
  });
  expect(await service('uninstall')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^removed .*could not be asked to stop/) });
  await expect(readFile(unit)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await service('install')).toMatchObject({ status: 2, stderr: expect.stringContaining('loginctl enable-linger') });
  await expect(readFile(unit)).rejects.toMatchObject({ code: 'ENOENT' });

  await writeFile(unit, '[Service]\nExecStart=/mine\n');
  for (const action of ['install', 'uninstall']) expect(await service(action)).toMatchObject({ status: 5, stdout: '' });
  expect(await readFile(unit, 'utf8')).toContain('/mine');
});

/** A user with a configuration and a systemd that only records its arguments. */
async function user(config: string) {
  const home = await temporaryDirectory();
  await mkdir(join(home, 'bin'));
  await writeFile(join(home, 'bin/systemctl'), `#!/bin/sh\necho "$@" >> ${home}/told\n`);
  await chmod(join(home, 'bin/systemctl'), 0o755);
  await mkdir(join(home, 'conf'));
  const file = join(home, 'conf/skulk.yaml');
  const configure = (text: string): Promise<void> => writeFile(file, text.replaceAll('HOME', home));
  await configure(config);
  const env = { HOME: home, SKULK_HOME: join(home, 'own'), SKULK_CONFIG: file, PATH: `${join(home, 'bin')}:${process.env['PATH']}` };
  const unit = join(home, '.config/systemd/user/skulk.service');
  const paths = async (): Promise<readonly string[]> =>
    [...(await readFile(unit, 'utf8')).matchAll(/^ReadWritePaths="-(.*)"$/gm)].map(([, path = '']) => path.replace(`${home}/`, ''));
  const told = (): Promise<string> => readFile(join(home, 'told'), 'utf8').catch(() => '');
  return {
    home,
    env,
    unit,
    paths,
    told,
    configure,
    service: (action: string) => runSkulk(['service', action, '--for', 'systemd'], { env }),
  };
}

longTest('the unit is rewritten for a changed path by install, by refresh, and by a server that the unit started', async () => {
  const config = (store: string): string => `model_store:\n  store_path: HOME/${store}\n  staging:\n    node_cache_path: HOME/staging\n`;
  const { home, env, unit, paths, told, configure, service } = await user(config('first'));
  expect(await service('install')).toMatchObject({ status: 0 });
  expect(await paths()).toEqual(['own', 'first', 'staging', 'conf']);
  // Directories that the server would create exist when the sandbox starts; a store may be on a disk that is mounted later.
  expect((await readdir(home)).filter((name) => !name.startsWith('.')).toSorted()).toEqual(['bin', 'conf', 'own', 'staging', 'told']);

  await configure(config('second'));
  const before = await told();
  expect(await service('refresh')).toMatchObject({ status: 0, stdout: expect.stringContaining('updated the paths') });
  expect(await paths()).toEqual(['own', 'second', 'staging', 'conf']);
  expect(await told()).toBe(`${before}--user daemon-reload\n`);
  expect(await service('refresh')).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing to do') });
  expect(await told()).toBe(`${before}--user daemon-reload\n`);

  await mkdir(join(home, 'third'));
  await configure(config('third'));
  const serve = ['serve', '--host', '127.0.0.1', '--port', '0', '--api-port', '0', '--no-mdns'];
  const server = startSkulk(serve, { env: { ...env, INVOCATION_ID: 'a'.repeat(32) } });
  await until('the server', () => server.stdout().includes('is ready') || server.child.exitCode !== null, server.stderr);
  expect(server.stderr()).toMatch(/did not allow skulk to write to .*third; it was updated/);
  expect(server.stderr()).toContain('systemctl --user daemon-reload && systemctl --user restart skulk.service');
  expect(await paths()).toEqual(['own', 'third', 'staging', 'conf']);

  // A unit of a user, or one that starts the server with another configuration, is not changed.
  for (const [from, to] of [
    ['Made by', 'Found by'],
    ['conf/skulk.yaml', 'conf/other.yaml'],
  ] as const) {
    const text = await readFile(unit, 'utf8');
    await writeFile(unit, text.replaceAll(from, to));
    await configure(config('fourth'));
    expect(await service('refresh')).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing to do') });
    expect(await paths()).toEqual(['own', 'third', 'staging', 'conf']);
    await writeFile(unit, text);
  }
});

longTest('service status, restart and logs ask systemd, and report an absent unit', async () => {
  const { home, env, unit, told, service } = await user('model_store: {}\n');
  for (const action of ['status', 'restart', 'logs'])
    expect(await service(action), action).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringContaining(`${unit} does not exist`),
    });
  expect(await service('install')).toMatchObject({ status: 0 });
  const before = await told();
  expect(await service('restart')).toMatchObject({ status: 0, stdout: 'restarted\n' });
  expect(await told()).toBe(`${before}--user restart skulk.service\n`);

  const program = (name: string, text: string): Promise<void> =>
    writeFile(join(home, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await program('systemctl', 'printf "MainPID=42\\nActiveState=active\\n"');
  await program('journalctl', 'echo first; echo; echo "$@"');
  expect(await service('status')).toMatchObject({ status: 0, stdout: `active, pid 42\nunit ${unit}\n` });
  const json = await runSkulk(['service', 'status', '--for', 'systemd', '--json'], { env });
  expect(JSON.parse(json.stdout)).toEqual({ action: 'status', manager: 'systemd', path: unit, state: 'active', running: true, pid: 42 });
  expect((await service('logs')).stdout).toBe('first\n--user -u skulk.service -n 100 --no-pager -o cat\n');
  await program('systemctl', 'printf "MainPID=0\\nActiveState=failed\\n"');
  expect(await service('status')).toMatchObject({ status: 0, stdout: `failed\nunit ${unit}\n` });
  await program('systemctl', 'echo "Failed to connect to bus" >&2; exit 1');
  expect(await service('status')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('Failed to connect to bus') });
});

longTest('service status, restart and logs ask launchd on macOS', async () => {
  const { home, env } = await user('model_store: {}\n');
  const program = (text: string): Promise<void> => writeFile(join(home, 'bin/launchctl'), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await program(`echo "$@" >> ${home}/told`);
  const service = (action: string) => runSkulk(['service', action, '--for', 'launchd'], { env });
  expect(await service('install')).toMatchObject({ status: 0, stderr: '' });
  expect(await service('logs')).toMatchObject({ status: 0, stdout: '' });
  await mkdir(join(home, 'own'), { recursive: true });
  await writeFile(join(home, 'own/serve.log'), Array.from({ length: 150 }, (_, index) => `line ${index}\n`).join(''));
  const lines = (await service('logs')).stdout.trimEnd().split('\n');
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([100, 'line 50', 'line 149']);
  await program('printf "gui/501/x = {\\n\\tstate = running\\n\\tpid = 7\\n}\\n"');
  expect((await service('status')).stdout).toMatch(/^running, pid 7\n/);
  await program('exit 113');
  expect((await service('status')).stdout).toMatch(/^not loaded\n/);
  expect(await service('restart')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('launchctl kickstart -k') });
});
