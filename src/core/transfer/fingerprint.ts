import type { BigIntStats } from 'node:fs';
import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';

/** Shows whether a file is still the one that was hashed, without reading it. */
export interface Fingerprint {
  readonly size: number;
  /** Nanoseconds since 1970, as text. */
  readonly mtime: string;
  readonly inode: string;
  /** Nanoseconds since 1970, as text; changes with every write, and also with links, owner and mode. */
  readonly ctime: string;
}

/** The fingerprint from a `stat` with `bigint: true`. */
export const fingerprintOf = (info: BigIntStats): Fingerprint => ({
  size: Number(info.size),
  mtime: String(info.mtimeNs),
  inode: String(info.ino),
  ctime: String(info.ctimeNs),
});

/** The fingerprint of a regular file; undefined if there is none at that path. */
export function readFingerprintSync(path: string): Fingerprint | undefined {
  try {
    const info = statSync(path, { bigint: true });
    return info.isFile() ? fingerprintOf(info) : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Like `readFingerprintSync`, but asynchronous: for many files, or a slow disk. */
export async function readFingerprint(path: string): Promise<Fingerprint | undefined> {
  try {
    const info = await stat(path, { bigint: true });
    return info.isFile() ? fingerprintOf(info) : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Whether two fingerprints have the same size, date and inode. */
export const sameFingerprint = (a: Fingerprint | undefined, b: Fingerprint | undefined): boolean =>
  a !== undefined && b !== undefined && a.size === b.size && a.mtime === b.mtime && a.inode === b.inode;

/** Whether a file was not changed at all between two fingerprints. Also detects a write that restored the old date. */
export const untouchedBetween = (a: Fingerprint | undefined, b: Fingerprint | undefined): boolean =>
  sameFingerprint(a, b) && a?.ctime === b?.ctime;
