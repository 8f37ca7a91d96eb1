import type { Dirent } from 'node:fs';
import { lstat, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from '../../kernel/errors.ts';
import { mapConcurrently } from '../../kernel/flow/concurrency.ts';
import { lookAt } from './look-at.ts';

/**
 * Removes a tree of skulk's own, following no link. The files go a few at a time: Node would ask for all of them at once, and whoever
 * asks for another file meanwhile would wait until the last of 50,000 is gone.
 */
export async function removeTree(path: string): Promise<void> {
  await removeFilesBelow(path);
  // What resisted is tried again here, and told. Node would try anew at every level: 4 times 4 times 4, in thirteen seconds.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await rm(path, { recursive: true, force: true });
    } catch (error) {
      const { path: at } = error as NodeJS.ErrnoException;
      // Node takes a file that may not be removed for a directory, and tells only how that failed.
      if (isSystemError(error, 'ENOTDIR') && at !== undefined && (await lookAt(at))?.isFile() === true) {
        await unlink(at);
        continue;
      }
      if (attempt > 3 || !isSystemError(error, 'EBUSY', 'ENOTEMPTY', 'EPERM', 'EMFILE', 'ENFILE')) throw error;
      await sleep(100 * attempt);
    }
  }
}

/** Fewer than Node has threads for files: a disk may think for long about a removal, and others have files to open. */
const removalsAtOnce = 3;

async function removeFilesBelow(directory: string): Promise<void> {
  const info = await lstat(directory).catch(() => undefined);
  if (info?.isDirectory() !== true) return;
  const items = await readdir(directory, { withFileTypes: true }).catch((): Dirent[] => []);
  await mapConcurrently(items, removalsAtOnce, async (item) => {
    if (!item.isDirectory()) await unlink(join(directory, item.name)).catch(() => undefined);
  });
  for (const item of items) {
    if (!item.isDirectory()) continue;
    const below = join(directory, item.name);
    await removeFilesBelow(below);
    await rmdir(below).catch(() => undefined);
  }
}
