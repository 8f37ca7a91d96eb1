import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { formatBytes } from '../kernel/units.ts';

/** How full the file system of a path is, in bytes. `free` is what this user may still write. */
export interface DiskRoom {
  readonly free: number;
  readonly total: number;
  readonly used: number;
}

/** Room on the file system of a path, or of its nearest ancestor that exists. */
export async function diskRoom(path: string): Promise<DiskRoom> {
  try {
    const { bsize, bavail, bfree, blocks } = await statfs(path);
    return { free: bavail * bsize, total: blocks * bsize, used: (blocks - bfree) * bsize };
  } catch (error) {
    if (isSystemError(error, 'ENOENT') && dirname(path) !== path) return diskRoom(dirname(path));
    throw error;
  }
}

/**
 * Checks before a byte is written that there is room for `bytes` more.
 * @throws SkulkError NO_SPACE
 */
export async function requireRoom(path: string, bytes: number, what: string): Promise<void> {
  const { free } = await diskRoom(path);
  if (bytes <= free) return;
  throw new SkulkError('NO_SPACE', `${what} needs ${formatBytes(bytes)} on ${path}, and ${formatBytes(free)} are free`, {
    hint: 'free some room, or choose another disk; nothing was written',
  });
}
