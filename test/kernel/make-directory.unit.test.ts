import { existsSync } from 'node:fs';
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDirectory } from '../../src/core/kernel/files/make-directory.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

describe('the creation of a directory', () => {
  test('creates its parents, and accepts an existing directory', async () => {
    const root = await temporaryDirectory();
    const path = join(root, 'a', 'b', 'c');
    await Promise.all([makeDirectory(path), makeDirectory(join(root, 'a', 'b', 'd')), makeDirectory(path)]);
    await makeDirectory(path);
    expect((await stat(path)).isDirectory()).toBe(true);
    await makeDirectory('/');
  });

  test.each([
    ['a file', 'file', 'file'],
    ['something below a file', 'file', 'file/below'],
    ['a link that leads nowhere', 'link', 'link'],
  ])('refuses %s', async (_, made, path) => {
    const root = await temporaryDirectory();
    await mkdir(root, { recursive: true });
    await (made === 'file' ? writeFile(join(root, made), '') : symlink('/nowhere/at/all', join(root, made)));
    await expect(makeDirectory(join(root, path))).rejects.toMatchObject({ code: expect.stringMatching(/BAD_PATH|ENOTDIR/) });
  });

  test.runIf(process.platform === 'linux')('fails when the system does not allow it', async () => {
    await expect(makeDirectory('/proc/nope')).rejects.toMatchObject({ code: 'BAD_PATH', message: expect.stringContaining('/proc/nope') });
    await expect(makeDirectory('/proc/nope/models')).rejects.toMatchObject({ code: 'BAD_PATH' });
  });
});

test('directories are created by many processes at the same time below one missing directory', async () => {
  const home = await temporaryDirectory();
  for (let round = 0; round < 20; round += 1) {
    const names = Array.from({ length: 30 }, (_, index) => join(home, String(round), 'a', String(index), 'b'));
    await Promise.all(names.map(makeDirectory));
    expect(names.every((name) => existsSync(name))).toBe(true);
  }
});
