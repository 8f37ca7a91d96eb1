import { randomBytes } from 'node:crypto';
import { readdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { listBelow } from './list-below.ts';
import { removeTree } from './remove-tree.ts';

/*
 * An item to remove is first moved to the trash, under its own path in a directory with a unique name: `<token>.1.taken/org--m`. From
 * there it can be restored, also after a crash. Only when its removal is certain, the directory is renamed to `….removed`, and only the
 * content of such directories is ever deleted. The directory names hold the whole state, because no file can be written on a full disk.
 * The number in the name is the number of parts of the path.
 */

/** The directory of items to remove, and their trash. */
export interface TrashPlace {
  /** All items are below it. */
  readonly root: string;
  readonly trash: string;
}

/** An item that is never restored. */
export interface Sealed {
  /** Deletes it and frees its space. */
  remove(): Promise<void>;
}

const entryName = /^[0-9a-f]{24}\.(\d{1,4})\.(taken|removed)$/;

/** The path of a new entry for an item whose path has `depth` parts; 0 for single files. */
export const newEntry = (trash: string, depth: number, kind: 'taken' | 'removed'): string =>
  join(trash, `${randomBytes(12).toString('hex')}.${depth}.${kind}`);

/** Marks an entry as deleted. */
export async function sealEntry(entry: string): Promise<Sealed> {
  const sealed = entry.replace(/taken$/, 'removed');
  await rename(entry, sealed).catch((error: unknown) => {
    // Another process emptied the trash, and so knew that the entry is not needed.
    if (!isSystemError(error, 'ENOENT')) throw error;
  });
  return { remove: () => removeTree(sealed) };
}

/** The kind of a trash entry; undefined for one that skulk did not create. */
type Kind = 'taken' | 'removed' | 'empty' | undefined;

/** The entries of a trash directory. */
export async function readTrash(trash: string): Promise<readonly { readonly path: string; readonly depth: number; readonly kind: Kind }[]> {
  const items = await readdir(trash, { withFileTypes: true }).catch((error: unknown) => {
    // Code that needs the trash reports what is wrong with it.
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return [];
    throw error;
  });
  return Promise.all(
    items.map(async (item) => {
      const path = join(trash, item.name);
      const [, depth, kind] = (item.isDirectory() ? entryName.exec(item.name) : undefined) ?? [];
      if (kind !== undefined) return { path, depth: Number(depth), kind: kind as Kind };
      const isEmpty = item.isDirectory() && (await listBelow(path)).every((one) => one.item.isDirectory());
      return { path, depth: 0, kind: isEmpty ? ('empty' as const) : undefined };
    }),
  );
}

/** Removes a directory and its parents up to the trash, as long as they are empty. */
export async function removeEmpty(directory: string, trash: string): Promise<void> {
  for (let at = directory; at.length > trash.length; at = dirname(at)) {
    if (
      !(await rmdir(at).then(
        () => true,
        () => false,
      ))
    )
      return;
  }
}
