import { randomBytes } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { syncDirectory } from '../kernel/durable-file.ts';
import { isSystemError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/make-directory.ts';

/**
 * Moves a directory (or a link) into a trash directory on the same file system: from then on it is not there any more, whatever happens.
 * @returns its place in the trash, or undefined when there was nothing
 */
export async function moveToTrash(path: string, trash: string): Promise<string | undefined> {
  const place = join(trash, `${basename(path)}.${randomBytes(6).toString('hex')}`);
  for (let attempt = 1; ; attempt += 1) {
    await makeDirectory(trash);
    try {
      await lstat(path);
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
    try {
      await rename(path, place);
      break;
    } catch (error) {
      // Somebody may have removed the trash itself between the two steps; then what was to go is still there.
      if (!isSystemError(error, 'ENOENT') || attempt >= 10) throw error;
    }
  }
  await syncDirectory(join(path, '..'));
  return place;
}

/**
 * Removes what lies in a trash directory, but not the directory: another process may be moving something into it.
 * @returns what cannot be removed; it is in nobody's way
 */
export async function emptyTrash(trash: string): Promise<readonly string[]> {
  const names = await readdir(trash).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  const left: string[] = [];
  for (const name of names) {
    const path = join(trash, name);
    await removeTree(path).catch(() => left.push(path));
  }
  return left;
}

/** Removes a tree, following no link. */
export const removeTree = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });
