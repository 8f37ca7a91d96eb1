import { readdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../../kernel/files/durable-file.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { listBelow } from './list-below.ts';
import { lookAt } from './look-at.ts';
import { removeTree } from './remove-tree.ts';
import { readTrash, removeEmpty, sealEntry, type TrashPlace } from './trash-entries.ts';

/**
 * Ends what interrupted commands began: what was taken and not replaced comes back, the rest of it is sealed. Only for who knows that
 * nobody is between taking something away and putting another in its place.
 * @returns the paths of what is back
 */
export async function settleTaken({ root, trash }: TrashPlace): Promise<readonly string[]> {
  const restored: string[] = [];
  for (const { path, kind, depth } of await readTrash(trash)) {
    if (kind !== 'taken') continue;
    const content = await findContent(path, depth);
    const place = content === undefined ? undefined : join(root, content.slice(path.length + 1));
    if (content === undefined || place === undefined || (await lookAt(place)) !== undefined) {
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

/** What stays in a trash directory that was emptied. */
export interface EmptiedTrash {
  /** What cannot be removed; it is in nobody's way. */
  readonly left: readonly string[];
  /** What skulk did not put there. */
  readonly foreign: readonly string[];
}

/** Removes what is sealed in a trash directory, but not the directory: another process may be moving something into it. */
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

/** Whether a trash directory holds what an interrupted command, or one that runs now, has taken away. */
export const holdsTaken = async (trash: string): Promise<boolean> => (await readTrash(trash)).some(({ kind }) => kind === 'taken');

/** How many removals a trash directory still has to end. */
export const countTrash = async (trash: string): Promise<number> =>
  (await readTrash(trash)).filter(({ kind }) => kind !== undefined).length;

/** Removes directories in which there is nothing but directories. */
async function removeDirectories(directory: string): Promise<void> {
  for (const { path } of (await listBelow(directory)).toSorted((a, b) => b.path.length - a.path.length)) await rmdir(join(directory, path));
  await rmdir(directory);
}

/** What was taken; undefined when an interrupted command made only directories for it. */
async function findContent(entry: string, depth: number): Promise<string | undefined> {
  let at = entry;
  for (let step = 0; step < depth; step += 1) {
    const [name] = await readdir(at);
    if (name === undefined) return undefined;
    at = join(at, name);
  }
  return at;
}
