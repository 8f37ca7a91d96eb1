import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { isSystemError } from '../errors.ts';

/* What a disk has at a path. A missing item is not an error; any other failure is thrown, because it says nothing about the item. */

/** The `lstat` of a path; undefined if nothing is there. */
export const lstatIfPresent = (path: string): Promise<BigIntStats | undefined> => lstat(path, { bigint: true }).catch(undefinedIfMissing);

/** The `stat` of a path; undefined if nothing is there. */
export const statIfPresent = (path: string): Promise<BigIntStats | undefined> => stat(path, { bigint: true }).catch(undefinedIfMissing);

/** The text of a file; undefined if it does not exist. */
export const readTextIfPresent = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(undefinedIfMissing);

/** The names in a directory; empty if it does not exist. */
export const namesIn = (directory: string): Promise<readonly string[]> => readdir(directory).catch(emptyIfMissing);

/** The items in a directory; empty if it does not exist. */
export const itemsIn = (directory: string): Promise<readonly Dirent[]> => readdir(directory, { withFileTypes: true }).catch(emptyIfMissing);

function undefinedIfMissing(error: unknown): undefined {
  if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
}

/** A file in place of a directory is an error: it would otherwise look as if skulk had nothing there. */
function emptyIfMissing(error: unknown): [] {
  if (isSystemError(error, 'ENOENT')) return [];
  throw error;
}
