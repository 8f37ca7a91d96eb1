import type { BigIntStats, Dirent } from 'node:fs';
import { rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { syncDirectory } from '../../kernel/files/durable-file.ts';
import { lstatIfPresent } from '../../kernel/files/if-present.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { listBelow } from './list-below.ts';
import { removeTree } from './remove-tree.ts';
import { newEntry, removeEmpty, type Sealed, sealEntry, type TrashPlace } from './trash-entries.ts';

/**
 * Throws CONFLICT unless skulk created the item at `at`. Called before a move, and again for the moved item.
 * @param path its public path
 */
export type Prove = (at: string, path: string) => Promise<void>;

/** An item that was moved to the trash. */
export interface Taken {
  /** Moves it back. If its path is in use by now, the item stays in the trash. */
  restore(): Promise<void>;
  /** Marks it as deleted: from now on it is never restored. */
  seal(): Promise<Sealed>;
}

/**
 * Moves a directory (or a link) that skulk created to the trash. After that it is gone from its path, even after a crash.
 * @returns undefined if there was nothing
 * @throws SkulkError CONFLICT if it is not skulk's, or another item replaced it in that moment; then nothing was moved
 */
export async function takeAway(path: string, { root, trash }: TrashPlace, prove: Prove): Promise<Taken | undefined> {
  const before = await lstatIfPresent(path);
  if (before === undefined) return undefined;
  await prove(path, path);
  const name = relative(root, path);
  const entry = newEntry(trash, name.split(sep).length, 'taken');
  const content = join(entry, name);
  const restore = async (): Promise<void> => {
    await moveBack(content, path);
    await removeEmpty(dirname(content), trash);
  };
  for (let attempt = 1; ; attempt += 1) {
    await makeDirectory(dirname(content));
    try {
      await rename(path, content);
      break;
    } catch (error) {
      await removeEmpty(dirname(content), trash);
      if ((await lstatIfPresent(path)) === undefined) return undefined;
      if (isSystemError(error, 'EBUSY', 'EXDEV'))
        throw new SkulkError('CONFLICT', `${path} cannot be moved away: another disk is mounted there, or the system uses it`, {
          hint: 'unmount it, then run the command again',
          cause: error,
        });
      // The trash itself may have been removed between the two steps. Then the item is still at its path.
      if (!isSystemError(error, 'ENOENT') || attempt >= 10) throw error;
    }
  }
  try {
    const after = await lstatIfPresent(content);
    if (after === undefined || !isSameThing(before, after))
      throw new SkulkError('CONFLICT', `${path} was just replaced by another directory, so it is not touched`, {
        hint: 'find the program that writes there, then run the command again',
      });
    await prove(content, path);
  } catch (error) {
    await restore();
    throw error;
  }
  await syncDirectory(dirname(content));
  await syncDirectory(dirname(path));
  return { restore, seal: () => sealEntry(entry) };
}

/**
 * Moves only some files of a directory to the trash, and removes directories that are empty after that.
 * @param trash undefined if none can be created: then the files are removed at once
 * @param isOurs called with the path below the directory; links are not followed
 * @param last the files that describe the others; they are removed after all others
 */
export async function takeFiles(
  directory: string,
  { trash }: { readonly trash: string | undefined },
  { isOurs, last = [] }: { readonly isOurs: (path: string, item: Dirent) => boolean; readonly last?: readonly string[] },
): Promise<Sealed> {
  const entry = trash === undefined ? undefined : newEntry(trash, 0, 'removed');
  if (entry !== undefined) await makeDirectory(entry);
  const items = await listBelow(directory);
  const ours = items.filter(({ path, item }) => !item.isDirectory() && isOurs(path, item));
  const rank = (path: string): number => last.indexOf(path);
  let number = 0;
  for (const { path } of ours.toSorted((a, b) => rank(a.path) - rank(b.path))) {
    number += 1;
    if (entry === undefined) await rm(join(directory, path), { force: true });
    else await rename(join(directory, path), join(entry, String(number)));
  }
  const emptied = items.filter(({ item }) => item.isDirectory()).toSorted((a, b) => b.path.length - a.path.length);
  for (const { path } of emptied) await rmdir(join(directory, path)).catch(() => undefined);
  await rmdir(directory).catch(() => undefined);
  await syncDirectory(dirname(directory));
  return { remove: async () => (entry === undefined ? undefined : await removeTree(entry)) };
}

async function moveBack(content: string, path: string): Promise<void> {
  if ((await lstatIfPresent(path)) !== undefined) return;
  await rename(content, path).catch(() => undefined);
  await syncDirectory(dirname(path));
}

/** Some user-space file systems give a renamed file a new inode, but keep its dates. */
const isSameThing = (a: BigIntStats, b: BigIntStats): boolean =>
  a.mode === b.mode && (a.ino === b.ino || (a.mtimeNs === b.mtimeNs && a.birthtimeNs === b.birthtimeNs));
