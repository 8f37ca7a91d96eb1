import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { formatBytes } from '../kernel/units.ts';

/** The size of a path's file system, in bytes. `free` is the space that this user can still use. */
export interface DiskRoom {
  readonly free: number;
  readonly total: number;
  readonly used: number;
}

/** The space on the file system of a path, or of its nearest existing ancestor. */
export async function diskRoom(path: string): Promise<DiskRoom> {
  try {
    const { bsize, bavail, bfree, blocks } = await statfs(path);
    return { free: bavail * bsize, total: blocks * bsize, used: (blocks - bfree) * bsize };
  } catch (error) {
    if (isSystemError(error, 'ENOENT') && dirname(path) !== path) return diskRoom(dirname(path));
    throw error;
  }
}

/** The space that stays free on a store's disk, so that its registry can be written and models can be deleted; in bytes. */
export const storeReserve = ({ total }: Pick<DiskRoom, 'total'>): number => Math.min(1024 ** 3, Math.floor(total / 100));

/** A disk that cannot take something, and by how many bytes. */
export class NoRoomError extends SkulkError {
  readonly missingBytes: number;

  /** @param what the work, with its verb; @param kept reserved bytes of the free ones */
  constructor(path: string, { what, bytes, free, kept = 0 }: { what: string; bytes: number; free: number; kept?: number }) {
    const reserved = kept === 0 ? '' : `, of which ${formatBytes(kept)} are reserved for the store itself`;
    super('NO_SPACE', `${what} ${formatBytes(bytes)} on ${path}, and ${formatBytes(free)} are free${reserved}`, {
      hint: 'free some space, or choose another disk; nothing was written',
    });
    this.missingBytes = bytes - (free - kept);
  }
}

/**
 * Checks that there is space for `bytes` more, before any byte is written.
 * @param isStore whether it is a store's disk, where a reserve must stay free
 * @throws SkulkError NO_SPACE
 */
export async function requireRoom(path: string, bytes: number, what: string, { isStore = false } = {}): Promise<void> {
  const room = await diskRoom(path);
  const reserve = isStore ? storeReserve(room) : 0;
  if (bytes <= 0 || bytes <= room.free - reserve) return;
  throw new NoRoomError(path, { what: `${what} needs`, bytes, free: room.free, kept: reserve });
}
