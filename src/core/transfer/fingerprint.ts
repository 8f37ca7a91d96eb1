import type { BigIntStats } from 'node:fs';
import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';

/** What shows, without reading it, that a file is still the one that was hashed. */
export interface Fingerprint {
  readonly size: number;
  /** Nanoseconds since 1970, as text. */
  readonly mtime: string;
  readonly inode: string;
  /** Nanoseconds since 1970, as text; changes with every write, and also with links, owner and mode. */
  readonly ctime: string;
}

/** The fingerprint of what `stat` with `bigint: true` said. */
export const fingerprintOf = (info: BigIntStats): Fingerprint => ({
  size: Number(info.size),
  mtime: String(info.mtimeNs),
  inode: String(info.ino),
  ctime: String(info.ctimeNs),
});

/** The fingerprint of a regular file, or undefined when there is none at that path. */
export function readFingerprint(path: string): Fingerprint | undefined {
  try {
    const info = statSync(path, { bigint: true });
    return info.isFile() ? fingerprintOf(info) : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The same for who has many files to look at: the disk may take its time. */
export async function lookAtFile(path: string): Promise<Fingerprint | undefined> {
  try {
    const info = await stat(path, { bigint: true });
    return info.isFile() ? fingerprintOf(info) : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Whether two fingerprints show the same content, as far as size, date and inode tell. */
export const sameFingerprint = (a: Fingerprint | undefined, b: Fingerprint | undefined): boolean =>
  a !== undefined && b !== undefined && a.size === b.size && a.mtime === b.mtime && a.inode === b.inode;

/** Whether nothing at all happened to a file between two fingerprints, not even a write with the old date put back. */
export const untouchedBetween = (a: Fingerprint | undefined, b: Fingerprint | undefined): boolean =>
  sameFingerprint(a, b) && a?.ctime === b?.ctime;
