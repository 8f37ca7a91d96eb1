import type { Dirent } from 'node:fs';
import { lstat, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from '../../kernel/errors.ts';
import { lstatIfPresent } from '../../kernel/files/if-present.ts';
import { mapConcurrently } from '../../kernel/flow/concurrency.ts';

/**
 * Removes one of skulk's own trees without following links. A few files are removed at a time: Node would request all of them at once,
 * and any other file operation would wait until the last of 50,000 is gone.
 */
export async function removeTree(path: string): Promise<void> {
  await removeFilesBelow(path);
  // Failed removals are retried here, and reported. Node would retry at every level: 4 times 4 times 4, in thirteen seconds.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await rm(path, { recursive: true, force: true });
    } catch (error) {
      const { path: at } = error as NodeJS.ErrnoException;
      // Node treats a file that must not be removed as a directory, and only reports how that failed.
      if (isSystemError(error, 'ENOTDIR') && at !== undefined && (await lstatIfPresent(at))?.isFile() === true) {
        await unlink(at);
        continue;
      }
      if (attempt > 3 || !isSystemError(error, 'EBUSY', 'ENOTEMPTY', 'EPERM', 'EMFILE', 'ENFILE')) throw error;
      await sleep(100 * attempt);
    }
  }
}

/** Fewer than Node has threads for files: a removal may be slow on some disks, and other work needs to open files. */
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
