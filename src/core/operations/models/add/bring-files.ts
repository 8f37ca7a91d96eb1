import { constants } from 'node:fs';
import { copyFile, lstat, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { totalBytes } from '../../../catalog/manifest.ts';
import { explainSystemError } from '../../../kernel/explain-system-error.ts';
import { makeDirectory } from '../../../kernel/files/make-directory.ts';
import { mapConcurrently, maxOpenFiles } from '../../../kernel/flow/concurrency.ts';
import type { ManifestFile } from '../../../protocol/manifest.ts';
import type { WorkOptions } from '../../../store/contract.ts';
import { toManifestFile } from '../../../store/ingest/hash-model.ts';
import { type IncomingPlace, requireOwnPlace } from '../../../store/ingest/incoming.ts';
import type { ScannedFile } from '../../../store/ingest/scan-directory.ts';
import { cloneFile } from '../../../transfer/clone-file.ts';
import { requireRoom } from '../../../transfer/disk-room.ts';

/** Whether all paths are on the disk of `target`. Another disk may be mounted inside a directory that is moved. */
export async function onOneDisk(paths: readonly string[], target: string): Promise<boolean> {
  const { dev } = await lstat(target);
  const infos = await mapConcurrently(paths, maxOpenFiles, (path) => lstat(path));
  return infos.every((info) => info.dev === dev);
}

/** Renames every file. A symbolic link becomes a regular file. */
export async function moveFiles(files: readonly ScannedFile[], place: IncomingPlace): Promise<undefined> {
  const linksFirst = files.toSorted((a, b) => Number(b.isLink) - Number(a.isLink));
  for (const { absolute, path, isLink } of linksFirst) {
    const to = join(place.files, path);
    await requireOwnPlace(place);
    await makeDirectory(dirname(to));
    if (isLink) await copyFile(absolute, to, constants.COPYFILE_EXCL);
    else await rename(absolute, to);
  }
}

/** Deletes the rest after a move: copied files and links, then empty directories. A file that changed after it was copied stays. */
export async function removeOrigin(
  files: readonly ScannedFile[],
  { isDirectory, source, mayGo }: { isDirectory: boolean; source: string; mayGo: (file: ScannedFile) => boolean },
): Promise<void> {
  // Links first: a link can only be checked while its target exists.
  const linksFirst = files.toSorted((a, b) => Number(b.isLink) - Number(a.isLink));
  try {
    for (const file of linksFirst) if (mayGo(file)) await rm(file.absolute, { force: true });
  } catch (error) {
    throw explainSystemError(error, 'the model is in the store, but its original cannot be removed');
  }
  if (!isDirectory) return;
  const directories = new Set([source]);
  for (const { path } of files) for (let at = dirname(path); at !== '.'; at = dirname(at)) directories.add(join(source, at));
  // The deepest first; one that is not empty stays.
  for (const directory of [...directories].toSorted((a, b) => b.length - a.length)) await rmdir(directory).catch(() => undefined);
}

/** Clones or copies files into a directory, and hashes them in the same pass. Throws NO_SPACE before a byte is written. */
export async function copyFiles(
  files: readonly ScannedFile[],
  place: IncomingPlace,
  { signal, onBytes }: WorkOptions,
): Promise<{ files: readonly ManifestFile[]; copied: number }> {
  const total = totalBytes(files);
  const largestFirst = files.toSorted((a, b) => b.size - a.size);
  const hashed: ManifestFile[] = [];
  let done = 0;
  let copied = 0;
  const bring = async ({ absolute, path, size }: ScannedFile): Promise<boolean> => {
    let last = 0;
    const { shared, ...digest } = await cloneFile(absolute, join(place.files, path), {
      signal,
      onBytes: (bytes) => {
        done += bytes - last;
        last = bytes;
        onBytes?.(done, total);
      },
    });
    hashed.push(toManifestFile(path, digest));
    if (!shared) copied += size;
    return shared;
  };
  const smallest = largestFirst.at(-1);
  if (smallest !== undefined && !(await sharesBlocks(smallest.absolute, place.files)))
    await requireRoom(place.files, total, 'adding this model', { isStore: true });
  // All copies must have ended before the directory is removed after a failure.
  const failed = (await Promise.allSettled(largestFirst.map(bring))).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return { files: hashed, copied };
}

/** Tests whether a file can be cloned into a directory without copying its bytes. */
async function sharesBlocks(file: string, directory: string): Promise<boolean> {
  const probe = join(directory, '.probe');
  try {
    await copyFile(file, probe, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  } finally {
    await rm(probe, { force: true });
  }
}
