import { lutimes, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../kernel/errors.ts';
import { lastUsedName } from './layout.ts';

/** Marks a copy as used now. A failure is nobody's business: the copy is good all the same. */
export async function touchLastUsed(directory: string, now: Date): Promise<void> {
  const path = join(directory, lastUsedName);
  try {
    // A link that somebody put there leads to a file of theirs.
    await lutimes(path, now, now);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) await writeFile(path, '', { flag: 'wx' }).catch(() => undefined);
  }
}

/** When a copy was last used, or undefined when nothing says so. */
export async function readLastUsed(directory: string): Promise<Date | undefined> {
  return stat(join(directory, lastUsedName)).then(
    ({ mtime }) => mtime,
    () => undefined,
  );
}
