import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from './errors.ts';

/**
 * Makes a directory and those above it, as `mkdir -p`. On a read-only disk Node's own way says that a directory is missing
 * (ENOENT); this says what is true (EROFS).
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) await mkdir(await topmostMissing(path));
    throw error;
  }
}

/** The directory that would have to be made first. */
async function topmostMissing(path: string): Promise<string> {
  const parent = dirname(path);
  const isThere = await stat(parent).then(
    () => true,
    () => false,
  );
  return isThere || parent === path ? path : topmostMissing(parent);
}
