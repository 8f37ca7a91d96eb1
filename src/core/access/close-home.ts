import { chmod, stat } from 'node:fs/promises';
import { makeDirectory } from '../kernel/files/make-directory.ts';

const othersWrite = 0o002;
const sticky = 0o1000;

/**
 * Removes other users' right to write into the directory of this machine's key: with it they could replace the key. A umask of 0, as in
 * containers and NAS systems, gives them that right.
 * @param onOpen called if it cannot be removed
 */
export async function closeHome(skulkHome: string, onOpen: (path: string) => void): Promise<void> {
  await makeDirectory(skulkHome);
  const { mode } = await stat(skulkHome);
  if ((mode & othersWrite) === 0 || (mode & sticky) !== 0) return;
  await chmod(skulkHome, mode & 0o7777 & ~othersWrite).catch(() => undefined);
  if (((await stat(skulkHome)).mode & othersWrite) !== 0) onOpen(skulkHome);
}
