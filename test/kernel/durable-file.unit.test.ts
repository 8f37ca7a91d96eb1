import { type FileHandle, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { appendLines } from '../../src/core/kernel/files/append-lines.ts';
import { renameDurably, writeFileDurably } from '../../src/core/kernel/files/durable-file.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

/** What a look at the disk shows each time that a file or a directory is synced with the disk. */
async function seenAtSync(look: () => Promise<string>, work: () => Promise<unknown>): Promise<readonly string[]> {
  const handle = await open(await temporaryDirectory(), 'r');
  const all = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const { sync } = all;
  const seen: string[] = [];
  const spy = vi.spyOn(all, 'sync').mockImplementation(async function (this: FileHandle) {
    seen.push(await look());
    await sync.call(this);
  });
  onTestFinished(() => spy.mockRestore());
  await work();
  return seen;
}

const contentOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => 'no file');

test('the new content of a file is on the disk before the old one is replaced, and then the directory', async () => {
  const path = join(await temporaryDirectory(), 'registry.json');
  await writeFile(path, 'old');
  expect(
    await seenAtSync(
      () => contentOf(path),
      () => writeFileDurably(path, 'new'),
    ),
  ).toEqual(['old', 'new']);
});

test('lines are on the disk when they count as appended', async () => {
  const path = join(await temporaryDirectory(), 'orders.log');
  await writeFile(path, 'one\ncut o');
  expect(
    await seenAtSync(
      () => contentOf(path),
      () => appendLines(path, ['two', 'three']),
    ),
  ).toEqual(['one\ntwo\nthree\n']);
});

test('a rename is on the disk in both directories', async () => {
  const root = await temporaryDirectory();
  await mkdir(join(root, 'to'));
  await writeFile(join(root, 'a'), 'content');
  const to = join(root, 'to/a');
  expect(
    await seenAtSync(
      () => contentOf(to),
      () => renameDurably(join(root, 'a'), to),
    ),
  ).toEqual(['content', 'content']);
});
