import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import { type Fingerprint, readFingerprint, sameFingerprint } from './fingerprint.ts';

/*
 * The record of the files that skulk creates in a work place: see `names.json` in docs/on-disk-format.md. It is written before the files,
 * and removed after they were moved elsewhere. A process may die between the move and the removal. So the record has fingerprints during
 * a move: a file that a user puts there later has another inode or date, and is not taken for skulk's. The fingerprint of their directory
 * would not do, because an undone publication moves the files back into a new directory, one by one.
 */

/** A work place: the directory with the record, and the directory with the files. */
interface Place {
  readonly path: string;
  readonly files: string;
}

/** The files of a work place that belong to skulk. */
export interface WorkNames {
  readonly paths: readonly string[];
  /** Whether a process began to move the files elsewhere. Then a path belongs to skulk only as long as that file is there. */
  readonly isMoving: boolean;
}

const namesFile = 'names.json';

/** Undefined without a record. */
export async function readWorkNames({ path, files }: Place): Promise<WorkNames | undefined> {
  const record = await readRecord(join(path, namesFile));
  if (Array.isArray(record)) return { paths: record.filter((name) => typeof name === 'string'), isMoving: false };
  const moving = typeof record === 'object' && record !== null ? (record as { moving?: unknown }).moving : undefined;
  if (typeof moving !== 'object' || moving === null) return undefined;
  const entries = Object.entries(moving as Record<string, Fingerprint>);
  const looks = await mapConcurrently(entries, maxOpenFiles, ([name]) => readFingerprint(join(files, name)));
  return { paths: entries.filter(([, then], index) => sameFingerprint(then, looks[index])).map(([name]) => name), isMoving: true };
}

/** Records the paths of files before they are created. */
export const writeWorkNames = (place: Pick<Place, 'path'>, paths: Iterable<string>): Promise<void> =>
  writeFileDurably(join(place.path, namesFile), JSON.stringify([...paths]));

/**
 * Records that the files are about to be moved elsewhere. Call it when they are complete: after that, a changed file is not skulk's until
 * `enterWorkPlace` is called again.
 */
export async function markAsMoving(place: Place): Promise<void> {
  const { paths = [] } = (await readWorkNames(place)) ?? {};
  const looks = await mapConcurrently(paths, maxOpenFiles, async (path) => [path, await readFingerprint(join(place.files, path))] as const);
  const moving = Object.fromEntries(looks.filter(([, look]) => look !== undefined));
  await writeFileDurably(join(place.path, namesFile), JSON.stringify({ moving }));
}

/**
 * Forgets which files skulk created, after all of them were moved elsewhere. A file that appears there later was put there by a user, even
 * if it has the same name.
 */
export const forgetWorkNames = (place: Pick<Place, 'path'>): Promise<void> => rm(join(place.path, namesFile), { force: true });

async function readRecord(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}
