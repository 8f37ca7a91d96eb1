import { readdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../../kernel/files/durable-file.ts';
import { lstatIfPresent } from '../../kernel/files/if-present.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { listBelow } from './list-below.ts';
import { removeTree } from './remove-tree.ts';
import { readTrash, removeEmpty, sealEntry, type TrashPlace } from './trash-entries.ts';

/**
 * Finishes the work of interrupted commands: restores what was taken and not replaced, and seals the rest. Only call it if no running
 * command is between taking something away and replacing it.
 * @returns the restored paths
 */
export async function settleTaken({ root, trash }: TrashPlace): Promise<readonly string[]> {
  const restored: string[] = [];
  for (const { path, kind, depth } of await readTrash(trash)) {
    if (kind !== 'taken') continue;
    const content = await findContent(path, depth);
    const place = content === undefined ? undefined : join(root, content.slice(path.length + 1));
    if (content === undefined || place === undefined || (await lstatIfPresent(place)) !== undefined) {
      await sealEntry(path);
      continue;
    }
    await makeDirectory(dirname(place));
    await rename(content, place);
    await syncDirectory(dirname(place));
    await removeEmpty(dirname(content), trash);
    restored.push(place);
  }
  return restored;
}

/** The rest in a trash directory after it was emptied. */
export interface EmptiedTrash {
  /** Entries that cannot be removed. They do no harm. */
  readonly left: readonly string[];
  /** Entries that skulk did not put there. */
  readonly foreign: readonly string[];
}

/** Removes the sealed entries of a trash directory, but not the directory itself: another process may be moving something into it. */
export async function emptyTrash(trash: string): Promise<EmptiedTrash> {
  const left: string[] = [];
  const foreign: string[] = [];
  for (const { path, kind } of await readTrash(trash)) {
    if (kind === undefined) foreign.push(path);
    else if (kind === 'empty') await removeDirectories(path).catch(() => undefined);
    else if (kind === 'removed') await removeTree(path).catch(() => left.push(path));
  }
  return { left, foreign };
}

/** Whether a trash directory has entries that an interrupted or a running command has taken away. */
export const holdsTaken = async (trash: string): Promise<boolean> => (await readTrash(trash)).some(({ kind }) => kind === 'taken');

/** The number of unfinished removals in a trash directory. */
export const countTrash = async (trash: string): Promise<number> =>
  (await readTrash(trash)).filter(({ kind }) => kind !== undefined).length;

/** Removes directories that contain only directories. */
async function removeDirectories(directory: string): Promise<void> {
  for (const { path } of (await listBelow(directory)).toSorted((a, b) => b.path.length - a.path.length)) await rmdir(join(directory, path));
  await rmdir(directory);
}

/** The content of an entry; undefined if an interrupted command only created directories for it. */
async function findContent(entry: string, depth: number): Promise<string | undefined> {
  let at = entry;
  for (let step = 0; step < depth; step += 1) {
    const [name] = await readdir(at);
    if (name === undefined) return undefined;
    at = join(at, name);
  }
  return at;
}
