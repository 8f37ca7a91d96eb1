import { realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';

/** Whether a model's directory exists; a link that leaves the store does not count. @throws the disk's errors, which do not mean that it is missing */
export async function isDirectoryInside(root: string, storePath: string): Promise<boolean> {
  try {
    const [realRoot, place] = await Promise.all([realpath(root), realpath(join(root, storePath))]);
    return place.startsWith(realRoot + sep) && (await stat(place)).isDirectory();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) return false;
    throw error;
  }
}

/** Whether a path below the store is really inside it: no link on the way leaves the store. */
export async function isPlaceInside(root: string, storePath: string): Promise<boolean> {
  try {
    const [realRoot, parent] = await Promise.all([realpath(root), realpath(dirname(join(root, storePath)))]);
    return parent === realRoot || parent.startsWith(realRoot + sep);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return true;
    if (isSystemError(error, 'ENOTDIR', 'ELOOP')) return false;
    throw error;
  }
}

/** Finds another model's entry whose directory is, contains, or is inside `storePath`, with and without case. */
export function findSharer(
  storePath: string,
  self: RegistryEntry['model_id'],
  entries: Iterable<RegistryEntry>,
): RegistryEntry | undefined {
  const isIn = (a: string, b: string): boolean => `${a.toLowerCase()}/`.startsWith(`${b.toLowerCase()}/`);
  for (const other of entries) {
    if (other.model_id !== self && (isIn(other.store_path, storePath) || isIn(storePath, other.store_path))) return other;
  }
  return undefined;
}
