import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { giveToOwnerOf } from './give-to-owner.ts';
import { makeDirectory } from './make-directory.ts';

/**
 * Writes a whole file. After a crash or a power cut, a reader finds either the old content or the new. The steps: a temporary file in the
 * same directory, fsync, rename, fsync of the directory. If the content is an iterable, its parts are created while the file is written.
 */
export async function writeFileDurably(
  path: string,
  content: string | Uint8Array | Iterable<string>,
  { mode = 0o666 } = {},
): Promise<void> {
  const directory = dirname(path);
  await makeDirectory(directory);
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      // Each part continues where the previous one ended.
      for (const part of typeof content === 'string' || content instanceof Uint8Array ? [content] : content) await file.writeFile(part);
      await giveToOwnerOf(directory, file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(directory);
}

/** Renames a file so that the rename survives a power cut. Both paths must be on one file system. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
  if (dirname(from) !== dirname(to)) await syncDirectory(dirname(from));
}

/** Makes the names in a directory survive a power cut. Does nothing on a file system without support for that. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    // Network file systems and Windows refuse to sync a directory.
    if (!isSystemError(error, 'EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EBADF')) throw error;
  }
}
