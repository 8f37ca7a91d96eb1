import { mkdir, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { isSystemError, SkulkError } from '../errors.ts';

/** Directories that are not made anew in this process, with what is thrown instead. */
const kept = new Map<string, Set<() => Error | undefined>>();

/**
 * From now on `makeDirectory` makes neither this directory nor one above it: it was there, and where it is missing its disk was unmounted.
 * What is below it can be made as long as it is there.
 * @param refusal gives what is thrown instead, or undefined when it may be made after all
 * @returns ends it
 */
export function forbidMaking(path: string, refusal: () => Error | undefined): () => void {
  const refusals = kept.get(path) ?? new Set();
  kept.set(path, refusals.add(refusal));
  return () => {
    refusals.delete(refusal);
    if (refusals.size === 0 && kept.get(path) === refusals) kept.delete(path);
  };
}

/** What is thrown instead of making a directory; undefined when it may be made. */
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
 * Makes a directory and those above it, as `mkdir -p`. Node's own way tries for ever where the system says of a child of an
 * existing directory that it is missing (`/proc/x`), and calls a read-only disk a missing directory; this says what is true.
 * @throws SkulkError BAD_PATH when something else has the name, or the file system allows no directory there; what `forbidMaking` was given
 */
export async function makeDirectory(path: string): Promise<void> {
  const refusal = refusalFor(path);
  if (refusal !== undefined) {
    if (await isDirectory(path)) return;
    throw refusal;
  }
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
    throw new SkulkError('BAD_PATH', `${path} is a file or a broken link, not a directory`, { hint, cause: error });
  if (isSystemError(error, 'ENOENT'))
    throw new SkulkError('BAD_PATH', `the system does not allow the directory ${path}`, { hint, cause: error });
  throw error;
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
