import { constants } from 'node:fs';
import { access, lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { explainSystemError } from '../kernel/explain-system-error.ts';
import { type Config, placeOf } from './settings.ts';

/**
 * Checks that the directories in the configuration can be used on this machine.
 * @param checkStore checks the directory of the store
 * @throws SkulkError CONFIG with the key, the path and a solution; the errors of `checkStore`
 */
export async function checkPaths(
  { settings, isStoreHost }: Config,
  checkStore: (options: { readonly name: string; readonly mayBeMissing: boolean }) => Promise<void>,
): Promise<void> {
  if (isStoreHost && settings.enabled.value) {
    const { origin } = settings.storePath;
    await checkStore({ name: `${placeOf(origin)}store_path`, mayBeMissing: origin.from === 'default' });
  }
  if (settings.stagingEnabled.value) {
    const { value, origin } = settings.nodeCachePath;
    await checkDirectory(value, `${placeOf(origin)}node_cache_path`, { mayBeMissing: true });
  }
}

/**
 * Checks that a directory exists and is writable or, if it may be missing, can be created.
 * @param name its name in the message
 * @throws SkulkError CONFIG
 */
export async function checkDirectory(path: string, name: string, { mayBeMissing }: { mayBeMissing: boolean }): Promise<void> {
  const refuse = (why: string, hint: string, cause?: unknown): never => {
    throw new SkulkError('CONFIG', `${name} ${path} ${why}`, { hint, cause });
  };
  try {
    if (!(await stat(path)).isDirectory()) refuse('is not a directory', 'name a directory');
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) {
      if (await isLink(path)) refuse('is a broken link', 'mount the disk of its target, or repair the link', error);
      if (!mayBeMissing) refuse('does not exist', await hintForMissing(path), error);
      if (dirname(path) !== path) await checkDirectory(dirname(path), name, { mayBeMissing: true });
      return;
    }
    if (isSystemError(error, 'EACCES', 'EPERM'))
      refuse('cannot be read and written by this user', 'change its owner or mode, or choose another directory', error);
    if (isSystemError(error, 'EROFS')) refuse('is on a read-only file system', 'remount it read-write, or choose another directory', error);
    if (isSystemError(error, 'ENOTDIR')) refuse('is not a directory', 'a part of the path is a file', error);
    throw explainSystemError(error, `${name} ${path} cannot be used`);
  }
}

/** macOS mounts disks in /Volumes. A directory in the place of a disk would give the disk another name. */
async function hintForMissing(path: string): Promise<string> {
  const volume = /^\/Volumes\/[^/]+/.exec(path)?.[0];
  const isThere = volume === undefined || (await lstat(volume).catch(() => undefined)) !== undefined;
  return isThere ? `mount the disk that holds it, or create it: mkdir -p ${path}` : `connect and mount the disk ${volume}`;
}

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (info) => info.isSymbolicLink(),
    () => false,
  );
