import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unitFile } from '../../src/core/operations/service/unit-file.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

describe('a unit', () => {
  const content = {
    command: ['/opt/a b/node', '/x/"q"\\%d$HOME&<y>.js', 'serve'],
    environment: { SKULK_HOME: '/h 100%' },
    logFile: '/l&g',
  };

  test('of systemd starts just what was said, whatever its name', () => {
    const unit = unitFile('systemd', content);
    expect(unit).toContain('ExecStart="/opt/a b/node" "/x/\\"q\\"\\\\%%d$$HOME&<y>.js" "serve"\n');
    expect(unit).toContain('Environment="SKULK_HOME=/h 100%%"\n');
  });

  test('of launchd is XML, whatever its names', () => {
    const unit = unitFile('launchd', content);
    expect(unit).toContain('<string>/x/"q"\\%d$HOME&amp;&lt;y&gt;.js</string>');
    expect(unit).toContain('<string>/l&amp;g</string>');
  });

  test('never gets a line that was smuggled in', () => {
    for (const manager of ['systemd', 'launchd'] as const)
      expect(() => unitFile(manager, { ...content, environment: { SKULK_STORE: 'x\nExecStartPre=/bin/evil' } })).toThrow(/cannot stand/);
  });
});

test('install writes and starts it once, uninstall removes what skulk made', async () => {
  const home = await temporaryDirectory();
  await mkdir(join(home, 'bin'));
  // The real one needs a login session; this one notes what it was told.
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
    '--user daemon-reload\n--user enable skulk.service\n--user restart skulk.service\n',
  );
  expect(await service('install')).toMatchObject({ status: 0, stdout: expect.stringContaining('already') });

  await writeFile(join(home, 'broken'), '');
  expect(await service('install')).toMatchObject({
    status: 5,
    stdout: '',
    stderr: expect.stringContaining('systemctl --user daemon-reload failed'),
  });
  expect(await service('uninstall')).toMatchObject({ status: 0 });
  await expect(readFile(unit)).rejects.toMatchObject({ code: 'ENOENT' });

  await writeFile(unit, '[Service]\nExecStart=/mine\n');
  for (const action of ['install', 'uninstall']) expect(await service(action)).toMatchObject({ status: 5, stdout: '' });
  expect(await readFile(unit, 'utf8')).toContain('/mine');
});
