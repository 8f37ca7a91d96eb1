import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../errors.ts';

/** With sudo, a command may write where a service of another user reads. A file owned by root would lock that service out. */
export async function giveToOwnerOf(directory: string, file: FileHandle): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = await stat(directory);
  if (uid === 0) return;
  await file.chown(uid, gid).catch((error: unknown) => {
    // Some network disks do not support chown.
    if (!isSystemError(error, 'EPERM', 'EINVAL', 'ENOTSUP')) throw error;
  });
}

/** Gives a directory that this process has just created to the owner of the directory above it, for the same reason. */
export async function giveDirectoryToOwner(path: string): Promise<void> {
  if (process.geteuid?.() !== 0 || (await stat(dirname(path))).uid === 0) return;
  try {
    await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    // The owner of the directory above may have replaced it.
    if ((await directory.stat()).uid === 0) await giveToOwnerOf(dirname(path), directory);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
  }
}
