import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { forEachYielding } from '../../kernel/flow/yielding.ts';

/** The files below a directory, and the links, that somebody else put there; their paths below it, without the directories. */
export async function findOthers(directory: string, isOurs: (path: string, item: Dirent) => boolean): Promise<readonly string[]> {
  const others: string[] = [];
  await forEachYielding(await listBelow(directory), ({ path, item }) => {
    if (!item.isDirectory() && !isOurs(path, item)) others.push(path);
  });
  return others;
}

/** Something below a directory. */
export interface Below {
  readonly path: string;
  readonly item: Dirent;
}

/** All that is below a directory, links not followed. A directory that another process removes meanwhile has nothing more. */
export async function listBelow(directory: string): Promise<readonly Below[]> {
  const found: Below[] = [];
  const directories = [''];
  for (let below = directories.pop(); below !== undefined; below = directories.pop()) {
    try {
      // In small parts, as Node makes all names of a whole directory in one go.
      for await (const item of await opendir(join(directory, below), { bufferSize: 256 })) {
        const path = join(below, item.name);
        found.push({ path, item });
        if (item.isDirectory()) directories.push(path);
      }
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
  return found;
}
