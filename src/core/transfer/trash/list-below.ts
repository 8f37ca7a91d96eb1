import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { forEachYielding } from '../../kernel/flow/yielding.ts';

/** Lists the files and links below a directory that skulk did not put there, as relative paths, without directories. */
export async function findOthers(directory: string, isOurs: (path: string, item: Dirent) => boolean): Promise<readonly string[]> {
  const others: string[] = [];
  await forEachYielding(await listBelow(directory), ({ path, item }) => {
    if (!item.isDirectory() && !isOurs(path, item)) others.push(path);
  });
  return others;
}

/** An item below a directory. */
export interface Below {
  readonly path: string;
  readonly item: Dirent;
}

/** Lists everything below a directory without following links. A directory that another process removes in the meantime counts as empty. */
export async function listBelow(directory: string): Promise<readonly Below[]> {
  const found: Below[] = [];
  const directories = [''];
  for (let below = directories.pop(); below !== undefined; below = directories.pop()) {
    try {
      // In small batches, because Node creates the names of a whole directory in one go.
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
