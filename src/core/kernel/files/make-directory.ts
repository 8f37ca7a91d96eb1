import { mkdir } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { isSystemError, SkulkError } from '../errors.ts';
import { giveDirectoryToOwner } from './give-to-owner.ts';
import { isDirectory } from './is-there.ts';

/** Directories that this process must not create again, with the error to throw instead. */
const kept = new Map<string, Set<() => Error | undefined>>();

/**
 * From now on, `makeDirectory` creates neither this directory nor its parents. The directory existed, so if it is missing, its disk was
 * unmounted. Subdirectories can be created while the directory exists.
 * @param refusal returns the error to throw, or undefined if the directory may be created after all
 * @returns a function that lifts the ban
 */
export function forbidMaking(path: string, refusal: () => Error | undefined): () => void {
  const refusals = kept.get(path) ?? new Set();
  kept.set(path, refusals.add(refusal));
  return () => {
    refusals.delete(refusal);
    if (refusals.size === 0 && kept.get(path) === refusals) kept.delete(path);
  };
}

/** The error to throw instead of creating a directory; undefined if it may be created. */
function refusalFor(path: string): Error | undefined {
  for (const [directory, refusals] of kept) {
    if (directory !== path && !directory.startsWith(path + sep)) continue;
    for (const refusal of refusals) {
      const error = refusal();
      if (error !== undefined) return error;
    }
  }
  return undefined;
}

/**
 * Creates a directory and its parents, as `mkdir -p`. Node's own `recursive` loops forever if the system reports a child of an existing
 * directory as missing (`/proc/x`). It also reports a read-only disk as a missing directory.
 * @throws SkulkError BAD_PATH if the name is in use by something else, or the file system allows no directory there; the error of
 * `forbidMaking`
 */
export async function makeDirectory(path: string): Promise<void> {
  const refusal = refusalFor(path);
  if (refusal !== undefined) {
    if (await isDirectory(path)) return;
    throw refusal;
  }
  try {
    await make(path);
  } catch (error) {
    const parent = dirname(path);
    if (isSystemError(error, 'ENOENT') && parent !== path) {
      // Another process may have created it since, so the result of the second attempt decides.
      if (!(await isDirectory(parent))) await makeDirectory(parent);
      return make(path).catch((again: unknown) => allowExisting(path, again));
    }
    await allowExisting(path, error);
  }
}

async function make(path: string): Promise<void> {
  await mkdir(path);
  await giveDirectoryToOwner(path);
}

/** An existing directory needs no permission: neither a read-only disk nor another owner matters. */
async function allowExisting(path: string, error: unknown): Promise<void> {
  if (await isDirectory(path)) return;
  const hint = 'choose another directory';
  if (isSystemError(error, 'EEXIST'))
    throw new SkulkError('BAD_PATH', `${path} is a file or a broken link, not a directory`, { hint, cause: error });
  if (isSystemError(error, 'ENOENT'))
    throw new SkulkError('BAD_PATH', `the system does not allow a directory at ${path}`, { hint, cause: error });
  throw error;
}
