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

/** What stays free on the disk of a store, so that its registry can be written and models can be removed; in bytes. */
export const storeReserve = ({ total }: Pick<DiskRoom, 'total'>): number => Math.min(1024 ** 3, Math.floor(total / 100));

/**
 * Checks before a byte is written that there is room for `bytes` more.
 * @param isStore whether the disk is a store's, of which a reserve stays free
 * @throws SkulkError NO_SPACE
 */
export async function requireRoom(path: string, bytes: number, what: string, { isStore = false } = {}): Promise<void> {
  const room = await diskRoom(path);
  const reserve = isStore ? storeReserve(room) : 0;
  if (bytes <= 0 || bytes <= room.free - reserve) return;
  const kept = reserve === 0 ? '' : `, of which ${formatBytes(reserve)} are reserved for the store itself`;
  throw new SkulkError('NO_SPACE', `${what} needs ${formatBytes(bytes)} on ${path}, and ${formatBytes(room.free)} are free${kept}`, {
    hint: 'free some space, or choose another disk; nothing was written',
  });
}
