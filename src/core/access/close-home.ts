import { access, chmod, constants, stat } from 'node:fs/promises';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { otherOwnerOf } from '../kernel/machine/owner-of.ts';

const othersWrite = 0o002;
const groupWrites = 0o020;
const sticky = 0o1000;

/**
 * Removes other users' right to write into the directory of this machine's key: with it they could replace the key. A umask of 0, as in
 * containers and NAS systems, gives that right to them and to the group. A directory that only its group shares stays as it is.
 * @param onOpen called if it cannot be removed
 */
export async function closeHome(skulkHome: string, onOpen: (path: string) => void): Promise<void> {
  await makeDirectory(skulkHome);
  const { mode } = await stat(skulkHome);
  if ((mode & othersWrite) === 0 || (mode & sticky) !== 0) return;
  await chmod(skulkHome, mode & 0o7777 & ~(othersWrite | groupWrites)).catch(() => undefined);
  if (((await stat(skulkHome)).mode & othersWrite) !== 0) onOpen(skulkHome);
}

/** @throws SkulkError PERMISSION if the directory belongs to another user, and this one cannot write to it */
export async function requireOwnHome(skulkHome: string): Promise<void> {
  try {
    await access(skulkHome, constants.W_OK | constants.X_OK);
  } catch (error) {
    const owner = isSystemError(error, 'EACCES', 'EPERM') ? await otherOwnerOf(skulkHome) : undefined;
    if (owner === undefined) throw error;
    throw new SkulkError('PERMISSION', `SKULK_HOME ${skulkHome} belongs to ${owner}: permission denied`, {
      hint: `run it as that user: sudo -u ${owner} -H skulk serve; or set SKULK_HOME to a directory of your own`,
      cause: error,
    });
  }
}
