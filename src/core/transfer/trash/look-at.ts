import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { isSystemError } from '../../kernel/errors.ts';

/** What lies at a path; undefined for nothing. A link is not followed. */
export async function lookAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
