import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { isSystemError } from '../../kernel/errors.ts';

/** The `lstat` of a path; undefined if nothing is there. */
export async function lstatIfPresent(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
