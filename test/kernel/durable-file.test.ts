import { execFileSync } from 'node:child_process';
import { chown, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appendLines } from '../../src/core/kernel/files/append-lines.ts';
import { writeFileDurably } from '../../src/core/kernel/files/durable-file.ts';
import { makeDirectory } from '../../src/core/kernel/files/make-directory.ts';
import { beat } from '../../src/core/kernel/process/heartbeat.ts';
import { acquireLock } from '../../src/core/kernel/process/lock.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

test("a file that root writes into another user's directory belongs to that user", wants('root'), async () => {
  const directory = join(await temporaryDirectory(), 'store');
  await mkdir(directory);
  await chown(directory, 12_345, 12_346);
  await writeFileDurably(join(directory, 'tokens.json'), '{}', { mode: 0o600 });
  expect(await stat(join(directory, 'tokens.json'))).toMatchObject({ uid: 12_345, gid: 12_346, mode: 0o100600 });
});

test('a directory that root creates, and its locks, belong to the owner of the directory above', wants('root'), async () => {
  const directory = join(await temporaryDirectory(), 'store');
  await mkdir(directory);
  await chown(directory, 12_345, 12_346);
  await makeDirectory(join(directory, 'a/b'));
  const held = await acquireLock(join(directory, 'lock'), { purpose: 'a test', timeoutMs: 0, signal: new AbortController().signal });
  await held.release();
  for (const path of ['a', 'a/b', 'lock', 'lock/1'])
    expect([path, await stat(join(directory, path))]).toMatchObject([path, { uid: 12_345, gid: 12_346 }]);
});

test('lines are not appended to the target of a link, and nothing is created there', async () => {
  const root = await temporaryDirectory();
  await writeFile(join(root, 'other'), 'one\nnot finished');
  for (const target of ['other', 'absent']) {
    await symlink(join(root, target), join(root, 'audit.ndjson'));
    await expect(appendLines(join(root, 'audit.ndjson'), ['{}'])).rejects.toMatchObject({ code: 'BAD_PATH' });
    await rm(join(root, 'audit.ndjson'));
  }
  expect(await readFile(join(root, 'other'), 'utf8')).toBe('one\nnot finished');
  expect(await readdir(root)).toEqual(['other']);
});

test('a pipe in place of a file of lines is reported, and not waited for', async () => {
  const path = join(await temporaryDirectory(), 'audit.ndjson');
  execFileSync('mkfifo', [path]);
  await expect(appendLines(path, ['{}'])).rejects.toMatchObject({ code: 'BAD_PATH' });
});

test('the files of a lock are not written through a link', async () => {
  const root = await temporaryDirectory();
  await writeFile(join(root, 'other'), 'the file of another user');
  const held = await acquireLock(join(root, 'lock'), { purpose: 'a test', timeoutMs: 0, signal: new AbortController().signal });
  for (const name of ['beat', 'holder.json.tmp']) {
    await rm(join(root, 'lock/1', name), { force: true });
    await symlink(join(root, 'other'), join(root, 'lock/1', name));
  }
  expect(await beat(join(root, 'lock/1/beat'))).toBe(false);
  await expect(held.release()).rejects.toThrow('ELOOP');
  expect(await readFile(join(root, 'other'), 'utf8')).toBe('the file of another user');
});
