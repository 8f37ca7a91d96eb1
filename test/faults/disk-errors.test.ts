import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemCode } from '../../src/core/kernel/errors.ts';
import { describeFailure, explainAnySystemError, explainSystemError, reasonOf } from '../../src/core/kernel/explain-system-error.ts';
import { failDirectory } from '../helpers/failed-directory.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { few, longTest, usualTest } from '../helpers/seeded.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const mebibyte = 2 ** 20;

/** A home whose staging directory is somewhere else, and a store with a model. */
async function nodeWith(root: string): Promise<{ readonly env: Readonly<Record<string, string>>; readonly config: string }> {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'm'), { 'config.json': '{}', 'a.bin': 'a' });
  const served = await serveInProcess({ home: join(home, 'host') });
  const env = { SKULK_HOME: join(home, 'node'), SKULK_STORE: served.url };
  expect(await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env })).toMatchObject({ status: 0 });
  const config = join(home, 'skulk.yaml');
  await writeFile(config, `model_store:\n  staging:\n    node_cache_path: ${root}\n`);
  return { env, config };
}

describe('a file system whose program has ended', wants('a disk of their own'), () => {
  usualTest('is reported as such, as a store and as a staging directory', async () => {
    const home = await temporaryDirectory();
    const root = join(home, 'fuse');
    await failDirectory(root);
    const { env, config } = await nodeWith(root);
    for (const args of [
      ['serve', '--port', '0', '--api-port', '0', '--host', '127.0.0.1', '--store-path', root],
      ['stage', 'org/m', '--config', config],
      ['run', 'org/m', '--config', config, '--', 'true'],
    ]) {
      const ended = await runInProcess(args, { env: args[0] === 'serve' ? { SKULK_HOME: home } : env });
      expect(ended.stderr).not.toContain('bug');
      expect(ended, ended.stderr).toMatchObject({ status: 4, stdout: '' });
      for (const part of [root, 'has ended', 'hint:']) expect(ended.stderr).toContain(part);
    }
    const doctor = await runInProcess(['doctor', '--config', config], { env });
    expect(doctor.stdout + doctor.stderr).toContain('has ended');
    expect(doctor.stdout + doctor.stderr).not.toContain('bug');
  });
});

describe('a disk without inodes', wants('a disk of their own'), () => {
  usualTest('is reported as such, and not as a full disk', async () => {
    const root = join(await temporaryDirectory(), 'disk');
    await mkdir(root);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,nr_inodes=40', 'tmpfs', root]).status).toBe(0);
    onTestFinished(() => void spawnSync('umount', ['-l', root]));
    const { env, config } = await nodeWith(root);
    let ended = await runInProcess(['stage', 'org/m', '--config', config], { env });
    expect(ended.status, ended.stderr).toBe(0);
    await rm(join(root, 'org--m'), { recursive: true });
    for (let index = 0; ; index += 1) {
      const isMade = await writeFile(join(root, `f${index}`), '').then(
        () => true,
        () => false,
      );
      if (!isMade) break;
    }
    ended = await runInProcess(['stage', 'org/m', '--config', config], { env });
    expect(ended, ended.stderr).toMatchObject({ status: 7, stdout: '' });
    for (const part of [root, 'inodes', 'hint:']) expect(ended.stderr).toContain(part);
  });
});

describe('a read-only staging directory', wants('a disk of their own'), () => {
  longTest('with a good copy works for stage and run, which report that the use is not recorded', async () => {
    const disk = await smallDisk(16 * mebibyte);
    const { env, config } = await nodeWith(disk.path);
    expect(await runInProcess(['stage', 'org/m', '--config', config], { env })).toMatchObject({ status: 0 });
    disk.setReadOnly(true);
    expect(await runInProcess(['stage', 'org/m', '--config', config], { env })).toMatchObject({ status: 0 });
    for (const more of [[], ['--offline']]) {
      const ran = await runSkulk(['run', 'org/m', ...more, '--config', config, '--', 'sh', '-c', 'cat "$SKULK_MODEL_PATH/a.bin"; exit 3'], {
        env,
      });
      expect(ran, ran.stderr).toMatchObject({ status: 3, stdout: 'a' });
      expect(ran.stderr).toContain('is not recorded');
    }
    const missing = await runInProcess(['run', 'org/other', '--offline', '--config', config, '--', 'true'], { env });
    expect(missing.status, missing.stderr).not.toBe(0);
    expect(missing.stderr).not.toContain('bug');
    disk.setReadOnly(false);
  });
});

longTest("a umask that removes the owner's rights does not prevent any work", async () => {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'm'), { 'config.json': '{}' });
  await chmod(home, 0o755);
  const skulk = new URL('../../bin/skulk.js', import.meta.url).pathname;
  const command = `umask 0777; exec '${process.execPath}' '${skulk}' add '${join(home, 'm')}' --as org/m`;
  const added = spawnSync('sh', ['-c', command], {
    env: { PATH: process.env['PATH'], HOME: home, SKULK_HOME: join(home, 'own'), SKULK_NO_DISCOVERY: '1' },
  });
  expect(added.status, added.stderr.toString()).toBe(0);
  expect((await stat(join(home, 'own', 'store', 'org--m'))).mode & 0o700).toBe(0o700);
});

describe('a system error', () => {
  const failure = (code: string, more: object = {}): Error =>
    Object.assign(new Error(`${code}: something, open '/disk/x'`), { code, errno: -1, syscall: 'open', path: '/disk/x', ...more });

  usualTest.each([
    'ENOTCONN',
    'ENODEV',
    'ENXIO',
    'EHOSTDOWN',
    'ESTALE',
    'ETIMEDOUT',
    'ENOLCK',
    'EOVERFLOW',
    'EFBIG',
    'EUSERS',
    'EMLINK',
    'ENOENT',
    'EISDIR',
    'EINVAL',
    'ENOMEM',
    'EDQUOT',
    'ENOSPC',
    'EWHATEVER',
    'Unknown system error -4242',
  ])('is reported with its path and a clear message when it is %s', (code) => {
    const explained = explainAnySystemError(failure(code)) as { code?: string; message: string; hint?: string };
    expect(explained.message).toContain('/disk/x');
    expect(explained.message).toMatch(/^cannot open .*: \S/);
    expect(explained.hint).toMatch(/\S/);
  });

  usualTest.each([
    ['scandir', 'cannot read the directory /disk/x: permission denied'],
    ['lstat', 'cannot access /disk/x: permission denied'],
    ['unlink', 'cannot remove /disk/x: permission denied'],
    ['mkdir', 'cannot create the directory /disk/x: permission denied'],
    ['newcall', 'cannot use /disk/x: permission denied'],
  ])('of the call %s is reported without the name of the call', (syscall, message) => {
    const error = failure('EACCES', { syscall, message: `EACCES: permission denied, ${syscall} '/disk/x'` });
    expect(explainAnySystemError(error)).toMatchObject({ code: 'PERMISSION', message });
    expect(reasonOf(error)).toBe(message);
    expect(describeFailure('cannot empty /disk', error)).toBe('cannot empty /disk: permission denied (/disk/x)');
    expect(describeFailure('cannot empty /disk/x', error)).toBe('cannot empty /disk/x: permission denied');
  });

  usualTest('of a draft names the directory instead', () => {
    const error = failure('EACCES', { syscall: 'open', path: '/disk/.admin-key.01db.tmp' });
    expect(explainAnySystemError(error)).toMatchObject({ message: 'cannot write to /disk: permission denied' });
  });

  usualTest.runIf(process.platform === 'linux')('is reported by name when Node gives only a number', () => {
    expect(systemCode(failure('Unknown system error -122'))).toBe('EDQUOT');
    expect(systemCode(failure('Unknown system error -116'))).toBe('ESTALE');
    expect(systemCode(failure('Unknown system error -87'))).toBe('EUSERS');
    expect(systemCode(failure('Unknown system error -37'))).toBe('ENOLCK');
    expect(explainSystemError(failure('Unknown system error -122'), 'cannot write it')).toMatchObject({ code: 'NO_SPACE' });
  });

  usualTest('of the network without a path is not reported as a disk error', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', errno: -111, syscall: 'connect' });
    expect(explainAnySystemError(refused)).toBe(refused);
  });
});

describe('a staging directory on a disk of its own', wants('a disk of their own'), () => {
  test.each(
    few([
      ['', 'the mount point itself'],
      ['copies', 'a directory below it'],
    ]),
  )('is reported as missing when the disk is not mounted, and nothing is created in its place (%s)', async (below) => {
    const disk = await smallDisk(16 * mebibyte);
    const root = join(disk.path, below);
    const { env, config } = await nodeWith(root);
    const skulk = (...args: readonly string[]) => runInProcess([...args.slice(0, 2), '--config', config, ...args.slice(2)], { env });
    expect(await skulk('stage', 'org/m')).toMatchObject({ status: 0 });
    // A user may remove the copies by hand.
    await rm(below === '' ? join(root, '.skulk') : root, { recursive: true });
    expect(await skulk('stage', 'org/m', '--force')).toMatchObject({ status: 0 });
    expect(spawnSync('umount', [disk.path]).status).toBe(0);
    for (const args of [
      ['stage', 'org/m'],
      ['stage', 'org/m', '--offline'],
      ['run', 'org/m', '--', 'true'],
      ['stage', 'org/m', '--keep', '1m'],
    ]) {
      const refused = await skulk(...args);
      expect(refused, refused.stderr).toMatchObject({ status: 4, stdout: '' });
      for (const part of [root, disk.path, 'no longer mounted', 'mkdir -p']) expect(refused.stderr).toContain(part);
    }
    await skulk('purge-staging', '--force');
    await skulk('reconcile', '--dry-run');
    await skulk('reconcile');
    expect(await readdir(disk.path)).toEqual([]);
    await mkdir(join(root, '.skulk', 'v1'), { recursive: true });
    expect(await skulk('stage', 'org/m')).toMatchObject({ status: 0 });
    expect(await skulk('run', 'org/m', '--', 'true')).toMatchObject({ status: 0 });
  });
});
