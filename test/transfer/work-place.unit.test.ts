import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { markAsMoving } from '../../src/core/transfer/work-names.ts';
import { enterWorkPlace, isOwnWorkPlace, namesOfWorkPlace, removeWorkPlace } from '../../src/core/transfer/work-place.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const placeAt = (path: string) => ({ path, files: join(path, 'files') });

/** A work place with two files that are about to be moved elsewhere. */
async function movingPlace() {
  const home = await temporaryDirectory();
  const place = placeAt(join(home, 'place'));
  await enterWorkPlace(place, ['a', 'sub/b']);
  await mkdir(join(place.files, 'sub'), { recursive: true });
  for (const path of ['a', 'sub/b']) await writeFile(join(place.files, path), 'ours');
  await markAsMoving(place);
  return { home, place };
}

test('a file that appears after a move belongs to the user, also in the same directory with the same length', async () => {
  const { home, place } = await movingPlace();
  await rename(join(place.files, 'a'), join(home, 'a'));
  await writeFile(join(place.files, 'a'), 'mine');
  expect(await namesOfWorkPlace(place)).toEqual(['sub/b']);
  await expect(enterWorkPlace(place, ['a', 'sub/b'])).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('files/a'),
  });
  expect(await isOwnWorkPlace(place)).toBe(true);
  await removeWorkPlace(place);
  expect(await readFile(join(place.files, 'a'), 'utf8')).toBe('mine');
  await expect(readFile(join(place.files, 'sub/b'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('files that are moved back one by one into a new directory still belong to skulk, and may be changed after that', async () => {
  const { home, place } = await movingPlace();
  await rename(place.files, join(home, 'published'));
  await mkdir(join(place.files, 'sub'), { recursive: true });
  for (const path of ['a', 'sub/b']) await rename(join(home, 'published', path), join(place.files, path));
  await enterWorkPlace(place, ['a']);
  await writeFile(join(place.files, 'a'), 'resumed');
  expect(await namesOfWorkPlace(place)).toEqual(['a', 'sub/b']);
});

test('a copy of the disk with other inodes keeps an unfinished download, and gives up files that were about to be moved', async () => {
  const { home, place } = await movingPlace();
  const copy = placeAt(join(home, 'copy'));
  const copyAgain = async () => {
    await rm(copy.path, { recursive: true, force: true });
    await cp(place.path, copy.path, { recursive: true, preserveTimestamps: true });
  };
  await copyAgain();
  await expect(enterWorkPlace(copy, ['a', 'sub/b'])).rejects.toMatchObject({ code: 'CONFLICT' });
  await enterWorkPlace(place, ['a', 'sub/b']);
  await copyAgain();
  await enterWorkPlace(copy, ['a', 'sub/b']);
});
