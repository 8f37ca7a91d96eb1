import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { quoteSome } from '../kernel/files/relative-path.ts';
import { findOthers } from './trash/list-below.ts';
import { removeTree } from './trash/remove-tree.ts';
import { takeFiles } from './trash/take-away.ts';
import { readWorkNames, writeWorkNames } from './work-names.ts';

/*
 * The directory in which a model is built outlives its process. Before a file is created there, its path is recorded beside it. So a
 * later process can distinguish it from a user's file, which is never overwritten and never removed.
 */

/** The directory in which a model is built. */
export interface WorkPlace {
  readonly path: string;
  /** The model's files; everything else at `path` is metadata. */
  readonly files: string;
}

const journals = ['journal', 'hub-journal'];
const ownAtTop =
  /^(?:names\.json|changes\.json|journal|hub-journal|\.(?:names|changes)\.json\.[0-9a-f]{12}\.tmp|lock\/.*|aria2\.json|\.aria2\.json\.[0-9a-f]{12}\.tmp|aria2\/.*)$/;

/**
 * Records which files are about to be created.
 * @throws SkulkError CONFLICT if there is a file that skulk did not put there
 */
export async function enterWorkPlace(place: WorkPlace, paths: readonly string[]): Promise<void> {
  for (const path of [place.path, place.files]) {
    if ((await kindOf(path)) === 'other')
      throw new SkulkError('CONFLICT', `${path} is not a directory that skulk created`, {
        hint: 'move it away, then run the command again',
      });
  }
  const others = (await listOthers(place)).filter((path) => path.startsWith('files/'));
  if (others.length > 0)
    throw new SkulkError('CONFLICT', `${place.path} contains files that skulk did not create: ${quoteSome(others)}`, {
      hint: 'move them away, then run the command again',
    });
  const record = await readWorkNames(place);
  const known = new Set(record?.paths);
  if (record?.isMoving === true || !paths.every((path) => known.has(path))) await writeWorkNames(place, known.union(new Set(paths)));
}

/** The recorded files of a directory; empty without a record. */
export const namesOfWorkPlace = async (place: WorkPlace): Promise<readonly string[]> => (await readWorkNames(place))?.paths ?? [];

/** Removes the content of a directory. Keeps a lock, which may be held or waited for, and files that skulk did not put there. */
export async function clearWorkPlace(place: WorkPlace): Promise<void> {
  if ((await kindOf(place.path)) !== 'directory') return;
  const others = new Set(await listOthers(place));
  await takeFiles(place.path, { trash: undefined }, { isOurs: (path) => !others.has(path) && !path.startsWith('lock/') });
}

/** Removes a directory. Keeps files that skulk did not put there. */
export async function removeWorkPlace(place: WorkPlace): Promise<void> {
  if ((await kindOf(place.path)) !== 'directory') return;
  const others = new Set(await listOthers(place));
  if (others.size === 0) await removeTree(place.path);
  else await takeFiles(place.path, { trash: undefined }, { isOurs: (path) => !others.has(path) });
}

/** Whether a directory is empty or contains something that skulk put there. */
export async function isOwnWorkPlace(place: WorkPlace): Promise<boolean> {
  if ((await kindOf(place.path)) !== 'directory') return false;
  return (await readWorkNames(place)) !== undefined || (await hasJournal(place)) || (await listOthers(place)).length === 0;
}

async function listOthers(place: WorkPlace): Promise<readonly string[]> {
  if ((await kindOf(place.path)) !== 'directory') return [];
  const own = new Set(await namesOfWorkPlace(place));
  return findOthers(place.path, (path, item) => {
    if (!item.isFile()) return false;
    return ownAtTop.test(path) || (path.startsWith('files/') && (own.has(path.slice('files/'.length)) || isRecord(path)));
  });
}

/** The description of a copy is written last. */
const isRecord = (path: string): boolean => /^files\/(?:\.skulk\.json|\.last_used|\.\.skulk\.json\.[0-9a-f]{12}\.tmp)$/.test(path);

async function hasJournal({ path }: WorkPlace): Promise<boolean> {
  for (const name of journals) if ((await kindOf(join(path, name))) !== undefined) return true;
  return false;
}

async function kindOf(path: string): Promise<'directory' | 'other' | undefined> {
  try {
    return (await lstat(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
