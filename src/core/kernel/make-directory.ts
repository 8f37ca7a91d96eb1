import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, SkulkError } from './errors.ts';

/**
 * Makes a directory and those above it, as `mkdir -p`. Node's own way tries for ever where the system says of a child of an
 * existing directory that it is missing (`/proc/x`), and calls a read-only disk a missing directory; this says what is true.
 * @throws SkulkError BAD_PATH when something else has the name, or the file system allows no directory there
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const parent = dirname(path);
    if (isSystemError(error, 'ENOENT') && parent !== path) {
      // Somebody else may have made it since, so that the second attempt counts in any case.
      if (!(await isDirectory(parent))) await makeDirectory(parent);
      return mkdir(path).catch((again: unknown) => allowExisting(path, again));
    }
    await allowExisting(path, error);
  }
}

/** A read-only disk, or a directory of somebody else, is no obstacle where nothing has to be made. */
async function allowExisting(path: string, error: unknown): Promise<void> {
  if (await isDirectory(path)) return;
  const hint = 'choose another directory';
  if (isSystemError(error, 'EEXIST'))
    throw new SkulkError('BAD_PATH', `${path} is a file, or a link that leads nowhere, and no directory`, { hint, cause: error });
  if (isSystemError(error, 'ENOENT')) throw new SkulkError('BAD_PATH', `the system allows no directory ${path}`, { hint, cause: error });
  throw error;
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
