import { chmod, stat } from 'node:fs/promises';
import { makeDirectory } from '../kernel/files/make-directory.ts';

const othersWrite = 0o002;
const sticky = 0o1000;

/**
 * Takes away everybody's right to write into the directory of this machine's key: whoever can write there can put a key of their own into
 * its place. A mask of 0, as containers and NAS systems have it, gives that right.
 * @param onOpen told when it cannot be taken away
 */
export async function closeHome(skulkHome: string, onOpen: (path: string) => void): Promise<void> {
  await makeDirectory(skulkHome);
  const { mode } = await stat(skulkHome);
  if ((mode & othersWrite) === 0 || (mode & sticky) !== 0) return;
  await chmod(skulkHome, mode & 0o7777 & ~othersWrite).catch(() => undefined);
  if (((await stat(skulkHome)).mode & othersWrite) !== 0) onOpen(skulkHome);
}
