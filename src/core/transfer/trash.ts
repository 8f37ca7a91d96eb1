import { randomBytes } from 'node:crypto';
import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, opendir, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { syncDirectory } from '../kernel/files/durable-file.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { mapAtOnce } from '../kernel/flow/at-once.ts';
import { forEachInTurns } from '../kernel/flow/in-turns.ts';

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

/**
 * Throws CONFLICT unless skulk made what lies at `at`; asked before a move, and of what was moved.
 * @param path where it lies as everybody knows it
 */
export type Prove = (at: string, path: string) => Promise<void>;

/** Something that was moved away. */
export interface Taken {
  /** Moves it back; what has its place by now keeps it, and then this waits in the trash. */
  giveBack(): Promise<void>;
  /** Lets it go for good: from now on it does not come back. */
  seal(): Promise<Sealed>;
}

/** Something that is not coming back. */
export interface Sealed {
  /** Frees its room. */
  remove(): Promise<void>;
}

const entryName = /^[0-9a-f]{24}\.(\d{1,4})\.(taken|removed)$/;
const newToken = (): string => randomBytes(12).toString('hex');

/**
 * Removes a tree of skulk's own, following no link. The files go a few at a time: Node would ask for all of them at once, and whoever
 * asks for another file meanwhile would wait until the last of 50,000 is gone.
 */
export async function removeTree(path: string): Promise<void> {
  await removeFilesBelow(path);
  // What resisted is tried again here, and told. Node would try anew at every level: 4 times 4 times 4, in thirteen seconds.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await rm(path, { recursive: true, force: true });
    } catch (error) {
      const { path: at } = error as NodeJS.ErrnoException;
      // Node takes a file that may not be removed for a directory, and tells only how that failed.
      if (isSystemError(error, 'ENOTDIR') && at !== undefined && (await lookAt(at))?.isFile() === true) {
        await unlink(at);
        continue;
      }
      if (attempt > 3 || !isSystemError(error, 'EBUSY', 'ENOTEMPTY', 'EPERM', 'EMFILE', 'ENFILE')) throw error;
      await sleep(100 * attempt);
    }
  }
}

/** Fewer than Node has threads for files: a disk may think for long about a removal, and others have files to open. */
const removalsAtOnce = 3;

async function removeFilesBelow(directory: string): Promise<void> {
  const info = await lstat(directory).catch(() => undefined);
  if (info?.isDirectory() !== true) return;
  const items = await readdir(directory, { withFileTypes: true }).catch((): Dirent[] => []);
  await mapAtOnce(items, removalsAtOnce, async (item) => {
    if (!item.isDirectory()) await unlink(join(directory, item.name)).catch(() => undefined);
  });
  for (const item of items) {
    if (!item.isDirectory()) continue;
    const below = join(directory, item.name);
    await removeFilesBelow(below);
    await rmdir(below).catch(() => undefined);
  }
}

/**
 * Moves a directory (or a link) that skulk made into the trash: from then on it is not there any more, whatever happens.
 * @returns undefined when there was nothing
 * @throws SkulkError CONFLICT when it is not skulk's, or another took its place right then; then all lies where it was
 */
export async function takeAway(path: string, { root, trash }: TrashPlace, prove: Prove): Promise<Taken | undefined> {
  const before = await lookAt(path);
  if (before === undefined) return undefined;
  await prove(path, path);
  const name = relative(root, path);
  const entry = join(trash, `${newToken()}.${name.split(sep).length}.taken`);
  const content = join(entry, name);
  const giveBack = async (): Promise<void> => {
    await moveBack(content, path);
    await removeEmpty(dirname(content), trash);
  };
  for (let attempt = 1; ; attempt += 1) {
    await makeDirectory(dirname(content));
    try {
      await rename(path, content);
      break;
    } catch (error) {
      await removeEmpty(dirname(content), trash);
      if ((await lookAt(path)) === undefined) return undefined;
      if (isSystemError(error, 'EBUSY', 'EXDEV'))
        throw new SkulkError('CONFLICT', `${path} cannot be moved away: another disk is mounted there, or the system uses it`, {
          hint: 'unmount it, then run the command again',
          cause: error,
        });
      // Somebody may have removed the trash itself between the two steps; then what was to go is still there.
      if (!isSystemError(error, 'ENOENT') || attempt >= 10) throw error;
    }
  }
  try {
    const after = await lookAt(content);
    if (after === undefined || !isSameThing(before, after))
      throw new SkulkError('CONFLICT', `${path} was replaced by another directory right now, so it is left as it is`, {
        hint: 'find out who else writes there, then run the command again',
      });
    await prove(content, path);
  } catch (error) {
    await giveBack();
    throw error;
  }
  await syncDirectory(dirname(content));
  await syncDirectory(dirname(path));
  return { giveBack, seal: () => sealEntry(entry) };
}

async function sealEntry(entry: string): Promise<Sealed> {
  const sealed = entry.replace(/taken$/, 'removed');
  await rename(entry, sealed).catch((error: unknown) => {
    // Whoever emptied the trash meanwhile saw that it is not needed.
    if (!isSystemError(error, 'ENOENT')) throw error;
  });
  return { remove: () => removeTree(sealed) };
}

/**
 * Moves only some files of a directory into the trash, and removes the directories that this empties.
 * @param trash undefined where none can be made: then they are removed at once
 * @param isOurs told the path below the directory; no link is followed
 * @param last the files that say what the others are; they go when all others have gone
 */
export async function takeFiles(
  directory: string,
  { trash }: { readonly trash: string | undefined },
  { isOurs, last = [] }: { readonly isOurs: (path: string, item: Dirent) => boolean; readonly last?: readonly string[] },
): Promise<Sealed> {
  const entry = trash === undefined ? undefined : join(trash, `${newToken()}.0.removed`);
  if (entry !== undefined) await makeDirectory(entry);
  const items = await listBelow(directory);
  const ours = items.filter(({ path, item }) => !item.isDirectory() && isOurs(path, item));
  const rank = (path: string): number => last.indexOf(path);
  let number = 0;
  for (const { path } of ours.toSorted((a, b) => rank(a.path) - rank(b.path))) {
    number += 1;
    if (entry === undefined) await rm(join(directory, path), { force: true });
    else await rename(join(directory, path), join(entry, String(number)));
  }
  const emptied = items.filter(({ item }) => item.isDirectory()).toSorted((a, b) => b.path.length - a.path.length);
  for (const { path } of emptied) await rmdir(join(directory, path)).catch(() => undefined);
  await rmdir(directory).catch(() => undefined);
  await syncDirectory(dirname(directory));
  return { remove: async () => (entry === undefined ? undefined : await removeTree(entry)) };
}

/** The files below a directory, and the links, that somebody else put there; their paths below it, without the directories. */
export async function findOthers(directory: string, isOurs: (path: string, item: Dirent) => boolean): Promise<readonly string[]> {
  const others: string[] = [];
  await forEachInTurns(await listBelow(directory), ({ path, item }) => {
    if (!item.isDirectory() && !isOurs(path, item)) others.push(path);
  });
  return others;
}

interface Below {
  readonly path: string;
  readonly item: Dirent;
}

/** A directory that another process removes meanwhile has nothing more. */
async function listBelow(directory: string): Promise<readonly Below[]> {
  const found: Below[] = [];
  const directories = [''];
  for (let below = directories.pop(); below !== undefined; below = directories.pop()) {
    try {
      // In small parts, as Node makes all names of a whole directory in one go.
      for await (const item of await opendir(join(directory, below), { bufferSize: 256 })) {
        const path = join(below, item.name);
        found.push({ path, item });
        if (item.isDirectory()) directories.push(path);
      }
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
  return found;
}

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

/** What an entry of the trash is; undefined for what somebody else put there. */
type Kind = 'taken' | 'removed' | 'empty' | undefined;

async function readTrash(trash: string): Promise<readonly { readonly path: string; readonly depth: number; readonly kind: Kind }[]> {
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

async function moveBack(content: string, path: string): Promise<void> {
  if ((await lookAt(path)) !== undefined) return;
  await rename(content, path).catch(() => undefined);
  await syncDirectory(dirname(path));
}

/** Removes a directory and those above it up to the trash, as far as they are empty. */
async function removeEmpty(directory: string, trash: string): Promise<void> {
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

async function lookAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Some file systems in user space give a new inode to what was renamed; its dates stay. */
const isSameThing = (a: BigIntStats, b: BigIntStats): boolean =>
  a.mode === b.mode && (a.ino === b.ino || (a.mtimeNs === b.mtimeNs && a.birthtimeNs === b.birthtimeNs));
