import { lutimes, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../kernel/errors.ts';
import { lastUsedName } from './layout.ts';

/** Marks a copy as used now. Errors are ignored, because the copy is still valid. */
export async function touchLastUsed(directory: string, now: Date): Promise<void> {
  const path = join(directory, lastUsedName);
  try {
    // A link that a user put there leads to a file of theirs.
    await lutimes(path, now, now);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) await writeFile(path, '', { flag: 'wx' }).catch(() => undefined);
  }
}

/** When a copy was last used; undefined if it is unknown. */
export async function readLastUsed(directory: string): Promise<Date | undefined> {
  return stat(join(directory, lastUsedName)).then(
    ({ mtime }) => mtime,
    () => undefined,
  );
}
