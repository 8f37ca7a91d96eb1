import { lstat, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { journalName, placeOf, readArrived } from '../transfer/arrived-blocks.ts';
import { blocksOf } from '../transfer/file-blocks.ts';
import { openJournal } from '../transfer/part-journal.ts';
import type { Piece } from '../transfer/pieces.ts';
import type { PromisedFile } from '../transfer/promised-file.ts';
import { clearWorkPlace, namesOfWorkPlace, type WorkPlace } from '../transfer/work-place.ts';

/** The work place of a download. */
export interface DownloadPlace extends WorkPlace {
  readonly journal: string;
}

/**
 * Moves what other downloads of the same model left unfinished of these files into a place, where it is resumed. Of a file that several
 * have, the one with most of it is taken. A place that this empties is removed. To be called with the lock of the model's downloads, after the
 * files were written down in the place.
 */
export async function takeLeftovers(
  files: readonly PromisedFile[],
  { to, others }: { readonly to: DownloadPlace; readonly others: readonly DownloadPlace[] },
): Promise<void> {
  const here = await readArrived(to.journal);
  for (const other of others) {
    const arrived = await readArrived(other.journal);
    const names = new Set(await namesOfWorkPlace(other));
    for (const file of files) {
      const blocks = notedBlocks(file, arrived);
      const from = join(other.files, file.path);
      if (!names.has(file.path) || blocks.length <= notedBlocks(file, here).length || !(await isOwnFile(from, file.size))) continue;
      // Lines are hints: should the file not follow, they say nothing of the one that is here.
      await appendLines(to.journal, file, blocks);
      await makeDirectory(dirname(join(to.files, file.path)));
      await rename(from, join(to.files, file.path));
      for (const { start, sha256 } of blocks) here.set(placeOf(file, start), sha256);
    }
    if (names.size > 0 && (await isEmptied(other))) await clearWorkPlace(other);
  }
}

type NotedBlock = Pick<Piece, 'start' | 'sha256'>;

const notedBlocks = (file: PromisedFile, arrived: ReadonlyMap<string, Sha256>): readonly NotedBlock[] =>
  blocksOf(file).flatMap(({ start }) => {
    const sha256 = arrived.get(placeOf(file, start));
    return sha256 === undefined ? [] : [{ start, sha256 }];
  });

async function appendLines(path: string, file: PromisedFile, blocks: readonly NotedBlock[]): Promise<void> {
  await using journal = await openJournal(path);
  for (const block of blocks) await journal.add({ path: journalName(file), ...block });
}

/** What was linked elsewhere is somebody else's content as well. */
async function isOwnFile(path: string, size: number): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  return info?.isFile() === true && info.nlink === 1 && info.size === size;
}

async function isEmptied({ files }: WorkPlace): Promise<boolean> {
  const items = await readdir(files, { recursive: true, withFileTypes: true }).catch(() => []);
  return items.every((item) => item.isDirectory());
}
