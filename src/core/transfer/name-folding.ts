import { randomBytes } from 'node:crypto';
import { lstat, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { quote } from '../kernel/files/relative-path.ts';
import { createYielder } from '../kernel/flow/yielding.ts';

/** Which different names a disk treats as the same. */
export interface Folding {
  readonly ignoresCase: boolean;
  /** Whether it treats `é` as one character and as two characters as the same. */
  readonly ignoresForm: boolean;
}

const asked = new Map<string, Promise<Folding>>();

/**
 * Rejects names that the disk of a directory treats as the same, before the second file overwrites the first.
 * @param where a store's root or a staging root, which may not exist yet
 * @param ask finds out how the disk folds names; if absent, a test file on the disk shows it
 * @throws SkulkError CONFLICT with both names
 */
export async function requireDistinctNames(
  where: string,
  { paths, of }: { readonly paths: readonly string[]; readonly of: string },
  ask: (where: string) => Promise<Folding> = askDisk,
): Promise<void> {
  // Almost no model has such names, and then the disk need not be tested.
  if ((await findFolded(paths, { ignoresCase: true, ignoresForm: true })) === undefined) return;
  const folded = await findFolded(paths, await ask(where));
  if (folded === undefined) return;
  throw new SkulkError('CONFLICT', `the disk of ${where} cannot tell ${quote(folded[0])} and ${quote(folded[1])} of ${of} apart`, {
    hint: 'use a directory on a disk that distinguishes case and accents',
  });
}

/** Finds two paths that a disk treats as the same, or a path that is both a file and a directory. */
export async function findFolded(paths: readonly string[], folding: Folding): Promise<readonly [string, string] | undefined> {
  const turn = createYielder();
  const files = new Map<string, string>();
  for (const path of paths) {
    const key = foldName(path, folding);
    const other = files.get(key);
    if (other !== undefined && other !== path) return [other, path];
    files.set(key, path);
    await turn();
  }
  const directories = new Set<string>();
  for (const path of paths) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      const directory = path.slice(0, end);
      if (directories.has(directory)) continue;
      directories.add(directory);
      const other = files.get(foldName(directory, folding));
      if (other !== undefined) return [other, path];
    }
    await turn();
  }
  return undefined;
}

/** Disks have their own folding tables. This is what they have in common. */
function foldName(name: string, { ignoresCase, ignoresForm }: Folding): string {
  const formed = ignoresForm ? name.normalize('NFD') : name;
  return ignoresCase ? formed.toUpperCase().toLowerCase() : formed;
}

/** Tests the disk of a directory once, with a test file. */
function askDisk(where: string): Promise<Folding> {
  const known = asked.get(where) ?? probe(where);
  asked.set(where, known);
  known.catch(() => asked.delete(where));
  return known;
}

async function probe(where: string): Promise<Folding> {
  const directory = await nearest(join(where, '.skulk', 'v1'));
  const token = randomBytes(6).toString('hex');
  const name = (letters: string): string => join(directory, `.skulk-probe-${token}-${letters}`);
  const path = name('a\u00e9');
  try {
    await writeFile(path, '', { flag: 'wx' });
    return { ignoresCase: await isThere(name('A\u00e9')), ignoresForm: await isThere(name('ae\u0301')) };
  } finally {
    await rm(path, { force: true });
  }
}

async function nearest(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) if (dirname(at) === at || (await isThere(at))) return at;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EINVAL', 'EILSEQ')) return false;
    throw error;
  }
}
