import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { few, longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const installer = fileURLToPath(new URL('../../packaging/install.sh', import.meta.url));
const target = `${process.platform === 'darwin' ? 'darwin' : 'linux'}-${process.arch === 'arm64' ? 'arm64' : 'x64'}`;

/** A release whose program is a shell script. */
async function makeRelease(version: string, { program = `echo skulk ${version}` } = {}): Promise<string> {
  const [work, release] = [await temporaryDirectory(), await temporaryDirectory()];
  const name = `skulk-${version}-${target}`;
  await mkdir(join(work, name, 'bin'), { recursive: true });
  await mkdir(join(work, name, 'app/man'), { recursive: true });
  await writeFile(join(work, name, 'bin/skulk'), `#!/bin/sh\n${program}\n`);
  await chmod(join(work, name, 'bin/skulk'), 0o755);
  await writeFile(join(work, name, 'app/man/skulk.1'), version);
  await writeFile(join(work, name, '.skulk-release'), '{}');
  const archive = join(release, `${name}.tar.gz`);
  expect(spawnSync('tar', ['-czf', archive, '-C', work, name]).status).toBe(0);
  const digest = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  await writeFile(join(release, 'SHA256SUMS'), `${digest}  ${name}.tar.gz\n${'0'.repeat(64)}  skulk-${version}-other.tar.gz\n`);
  return release;
}

const install = (
  args: readonly string[],
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ status: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile('sh', [installer, ...args], { env: { PATH: process.env['PATH'], ...env } }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });

usualTest('a release is installed, replaced by a newer one and removed, from a directory and over HTTP', async () => {
  const home = join(await temporaryDirectory(), 'a home');
  await mkdir(home);
  const prefix = join(home, '.local');
  const first = await install(['--from', await makeRelease('1.0.0')], { env: { HOME: home } });
  expect(first).toMatchObject({ status: 0, stdout: expect.stringContaining('installed skulk 1.0.0') });
  expect(first.stdout).toContain('next: put it on your PATH');
  expect(await readlink(join(prefix, 'bin/skulk'))).toBe('../lib/skulk/bin/skulk');
  await writeFile(join(prefix, 'share/man/man1/other.1'), 'not of skulk');

  const release = await makeRelease('1.1.0');
  const server = createServer((request, response) => {
    void readFile(join(release, request.url ?? '')).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const second = await install(['--prefix', prefix], { env: { SKULK_RELEASE_URL: url } });
  expect(second, second.stderr).toMatchObject({ status: 0 });
  expect(spawnSync(join(prefix, 'bin/skulk'), { encoding: 'utf8' }).stdout).toBe('skulk 1.1.0\n');
  expect(await readFile(join(prefix, 'share/man/man1/skulk.1'), 'utf8')).toBe('1.1.0');
  expect(await readdir(join(prefix, 'lib'))).toEqual(['skulk']);

  expect(await install(['--uninstall', '--prefix', prefix])).toMatchObject({ status: 0, stdout: expect.stringContaining('removed') });
  expect(await readdir(join(prefix, 'lib'))).toEqual([]);
  expect(await readdir(join(prefix, 'bin'))).toEqual([]);
  expect(await readdir(join(prefix, 'share/man/man1'))).toEqual(['other.1']);
  expect(await install(['--uninstall', '--prefix', prefix])).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing to do') });
});

usualTest('an installer beside the archives needs no --from, and names a restart only after an update', async () => {
  const [first, second, prefix] = [await makeRelease('1.0.0'), await makeRelease('1.1.0'), await temporaryDirectory()];
  const run = async (release: string) => {
    await copyFile(installer, join(release, 'install.sh'));
    return spawnSync('sh', [join(release, 'install.sh'), '--prefix', prefix], { encoding: 'utf8' });
  };
  const fresh = await run(first);
  expect(fresh, fresh.stderr).toMatchObject({ status: 0, stdout: expect.not.stringContaining('restart') });
  expect(await run(second)).toMatchObject({ status: 0, stdout: expect.stringContaining('skulk service restart') });
  expect(spawnSync(join(prefix, 'bin/skulk'), { encoding: 'utf8' }).stdout).toBe('skulk 1.1.0\n');
  // The one of the source has no archives beside it.
  expect(await install(['--prefix', prefix])).toMatchObject({ status: 2, stderr: expect.stringContaining('where is the release?') });
});

test.each<[string, (prefix: string) => Promise<void>]>([
  ['a program', (prefix) => writeFile(join(prefix, 'bin/skulk'), 'mine')],
  ['a link to another program', (prefix) => symlink('/usr/bin/true', join(prefix, 'bin/skulk'))],
  ['a directory', (prefix) => mkdir(join(prefix, 'lib/skulk'))],
  ['a link to a directory', (prefix) => symlink('/', join(prefix, 'lib/skulk'))],
])('the installer does not replace or remove %s that it did not create', async (_what, make) => {
  const prefix = await temporaryDirectory();
  for (const directory of ['bin', 'lib']) await mkdir(join(prefix, directory));
  await make(prefix);
  const release = await makeRelease('1.0.0');
  const before = await Promise.all(['bin', 'lib'].map((directory) => readdir(join(prefix, directory))));
  for (const args of [['--from', release], ['--uninstall']]) {
    const ended = await install([...args, '--prefix', prefix]);
    expect(ended.status).toBe(5);
    expect(ended.stderr).toMatch(/was not made by this script|is a link to/);
  }
  expect(await Promise.all(['bin', 'lib'].map((directory) => readdir(join(prefix, directory))))).toEqual(before);
});

test.each<[string, (release: string) => Promise<void>, RegExp]>(
  few([
    [
      'an archive with other bytes',
      async (release) => writeFile(join(release, `skulk-1.0.0-${target}.tar.gz`), 'other'),
      /is not what SHA256SUMS says/,
    ],
    [
      'no archive for this machine',
      (release) => writeFile(join(release, 'SHA256SUMS'), `${'0'.repeat(64)}  skulk-1.0.0-other.tar.gz\n`),
      /does not name one archive/,
    ],
    [
      'a name with a path',
      (release) => writeFile(join(release, 'SHA256SUMS'), `${'0'.repeat(64)}  ../skulk-1.0.0-${target}.tar.gz\n`),
      /does not name one archive/,
    ],
    ['no list', (release) => rm(join(release, 'SHA256SUMS')), /could not be read/],
  ]),
)('%s installs nothing, and an existing installation stays', async (_what, change, reason) => {
  const prefix = await temporaryDirectory();
  expect(await install(['--from', await makeRelease('0.9.0'), '--prefix', prefix])).toMatchObject({ status: 0 });
  const release = await makeRelease('1.0.0');
  await change(release);
  const ended = await install(['--from', release, '--prefix', prefix]);
  expect(ended.status).not.toBe(0);
  expect(ended.stderr).toMatch(reason);
  expect(spawnSync(join(prefix, 'bin/skulk'), { encoding: 'utf8' }).stdout).toBe('skulk 0.9.0\n');
  expect(await readdir(join(prefix, 'lib'))).toEqual(['skulk']);
});

longTest('a program that does not run on this machine does not replace a working one', async () => {
  const prefix = await temporaryDirectory();
  expect(await install(['--from', await makeRelease('0.9.0'), '--prefix', prefix])).toMatchObject({ status: 0 });
  const ended = await install(['--from', await makeRelease('1.0.0', { program: 'exit 1' }), '--prefix', prefix]);
  expect(ended).toMatchObject({ status: 1, stderr: expect.stringContaining('does not run on this machine') });
  expect(spawnSync(join(prefix, 'bin/skulk'), { encoding: 'utf8' }).stdout).toBe('skulk 0.9.0\n');
});

longTest('an installation that ended between its two renames gets its old version back', async () => {
  const [prefix, tools] = [await temporaryDirectory(), await temporaryDirectory()];
  expect(await install(['--from', await makeRelease('0.9.0'), '--prefix', prefix])).toMatchObject({ status: 0 });
  // A `mv` that fails at the rename of the new version.
  await writeFile(join(tools, 'mv'), '#!/bin/sh\ncase $1 in */new) exit 1 ;; *) exec /bin/mv "$@" ;; esac\n');
  await chmod(join(tools, 'mv'), 0o755);
  const ended = await install(['--from', await makeRelease('1.0.0'), '--prefix', prefix], {
    env: { PATH: `${tools}:${process.env['PATH']}` },
  });
  expect(ended).toMatchObject({ status: 1, stderr: expect.stringContaining('could not be written') });
  expect(spawnSync(join(prefix, 'bin/skulk'), { encoding: 'utf8' }).stdout).toBe('skulk 0.9.0\n');
  expect(await readdir(join(prefix, 'lib'))).toEqual(['skulk']);
});

longTest('a second installation at the same time is refused, and remains of a killed one are cleaned up', async () => {
  const prefix = await temporaryDirectory();
  expect(await install(['--from', await makeRelease('0.9.0'), '--prefix', prefix])).toMatchObject({ status: 0 });
  const work = join(prefix, 'lib/.skulk-install');
  await mkdir(work);
  await writeFile(join(work, 'pid'), String(process.pid));
  const release = await makeRelease('1.0.0', { program: 'exit 1' });
  const second = await install(['--from', release, '--prefix', prefix]);
  expect(second).toMatchObject({ status: 5, stderr: expect.stringContaining('another installation') });
  // A process that was killed between the two renames.
  const { pid } = spawnSync('true');
  await writeFile(join(work, 'pid'), String(pid));
  await rename(join(prefix, 'lib/skulk'), join(work, 'old'));
  expect((await install(['--from', release, '--prefix', prefix])).status).toBe(1);
  expect(spawnSync(join(prefix, 'bin/skulk'), { encoding: 'utf8' }).stdout).toBe('skulk 0.9.0\n');
  expect(await readdir(join(prefix, 'lib'))).toEqual(['skulk']);
});

usualTest.each([
  [['--from'], /--from needs/],
  [['--colour'], /unknown argument: --colour/],
  [[], /name a directory with --prefix/],
])('%j is refused with a clear message', async (args, reason) => {
  const ended = await install(args);
  expect(ended.status).toBe(2);
  expect(ended.stderr).toMatch(reason);
});

usualTest('the installer without a built-in address requires one', async () => {
  const prefix = await temporaryDirectory();
  expect(await install(['--prefix', prefix])).toMatchObject({ status: 2, stderr: expect.stringContaining('--from') });
  expect((await lstat(prefix)).isDirectory()).toBe(true);
  expect(await readdir(prefix)).toEqual([]);
});
