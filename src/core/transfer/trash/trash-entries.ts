import { randomBytes } from 'node:crypto';
import { readdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { listBelow } from './list-below.ts';
import { removeTree } from './remove-tree.ts';

/*
 * What has to go is first moved into the trash, under its own path in a directory of a name that nobody else gives:
 * `<token>.1.taken/org--m`. From there it can come back, also after a crash. Only when it is certain that it may go is the directory
 * renamed to `….removed`, and only what lies in such a one is ever deleted. Directory names alone say all this, as nothing can be
 * written on a full disk; the number in them tells how many parts the path has.
 */

/** Where something that has to go lies, and where it goes. */
export interface TrashPlace {
  /** Below it lies all that goes. */
  readonly root: string;
  readonly trash: string;
}

/** Something that is not coming back. */
export interface Sealed {
  /** Frees its room. */
  remove(): Promise<void>;
}

const entryName = /^[0-9a-f]{24}\.(\d{1,4})\.(taken|removed)$/;

/** The path of a new entry for what has a path of `depth` parts; 0 for single files. */
export const newEntry = (trash: string, depth: number, kind: 'taken' | 'removed'): string =>
  join(trash, `${randomBytes(12).toString('hex')}.${depth}.${kind}`);

/** Lets what an entry holds go for good. */
export async function sealEntry(entry: string): Promise<Sealed> {
  const sealed = entry.replace(/taken$/, 'removed');
  await rename(entry, sealed).catch((error: unknown) => {
    // Whoever emptied the trash meanwhile saw that it is not needed.
    if (!isSystemError(error, 'ENOENT')) throw error;
  });
  return { remove: () => removeTree(sealed) };
}

/** What an entry of the trash is; undefined for what somebody else put there. */
type Kind = 'taken' | 'removed' | 'empty' | undefined;

/** The entries of a trash directory. */
export async function readTrash(trash: string): Promise<readonly { readonly path: string; readonly depth: number; readonly kind: Kind }[]> {
  const items = await readdir(trash, { withFileTypes: true }).catch((error: unknown) => {
    // Whoever needs it says what is wrong with it.
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

/** Removes a directory and those above it up to the trash, as far as they are empty. */
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
