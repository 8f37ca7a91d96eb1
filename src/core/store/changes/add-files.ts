import { link, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { syncDirectory } from '../../kernel/files/durable-file.ts';
import { isTaken } from '../../kernel/files/is-there.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { mapConcurrently, maxOpenFiles } from '../../kernel/flow/concurrency.ts';
import { readFingerprint, sameFingerprint } from '../../transfer/fingerprint.ts';
import type { Seen } from '../ingest/seen.ts';

/**
 * Adds new files to a model's directory, without changing existing ones. The last shard is added first, because a program looks for the
 * first one. Skips files that an earlier try has added.
 * @throws SkulkError CONFLICT if another file has one of the names; then the added files are removed again
 */
export async function addFiles(
  place: string,
  { from, added }: { readonly from: string; readonly added: readonly string[] },
): Promise<void> {
  const put: string[] = [];
  try {
    for (const path of added.toReversed()) {
      if (!(await isTaken(join(from, path)))) continue;
      await makeDirectory(dirname(join(place, path)));
      await putFile(join(from, path), join(place, path));
      put.push(path);
    }
  } catch (error) {
    for (const path of put) await takeBack(join(place, path), join(from, path));
    throw error;
  }
  for (const directory of new Set([place, ...added.map((path) => dirname(join(place, path)))])) await syncDirectory(directory);
}

/** The fingerprints of files after this change. A new or removed hard link changes a file's dates, but not its content. */
export async function seenAgain(place: string, seen: Seen): Promise<Seen> {
  const looks = await mapConcurrently(Object.entries(seen), maxOpenFiles, async ([path, before]) => {
    const now = await readFingerprint(join(place, path));
    return [path, now !== undefined && sameFingerprint(before, now) ? now : before] as const;
  });
  return Object.fromEntries(looks);
}

async function putFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) {
      // An earlier try was interrupted right after the link.
      if (await isSameFile(from, to)) return;
      throw new SkulkError('CONFLICT', `${to} exists but is not a file of the model, so it is not touched`, { hint: 'move it away' });
    }
    // A disk without hard links.
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error;
    if (await isTaken(to)) throw new SkulkError('CONFLICT', `${to} exists, so it is not touched`, { hint: 'move it away', cause: error });
    await rename(from, to);
  }
}

async function takeBack(to: string, from: string): Promise<void> {
  if (!(await isTaken(from))) await rename(to, from).catch(() => undefined);
  else if (await isSameFile(from, to)) await rm(to, { force: true });
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path, { bigint: true }).catch(() => undefined)));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}
