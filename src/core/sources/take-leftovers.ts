import { lstat, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { type ArrivedBlock, arrivedBlocks, journalName, placeOf, readArrived } from '../transfer/arrived-blocks.ts';
import { openJournal } from '../transfer/part-journal.ts';
import type { PromisedFile } from '../transfer/promised-file.ts';
import { listBelow } from '../transfer/trash/list-below.ts';
import { clearWorkPlace, namesOfWorkPlace, type WorkPlace } from '../transfer/work-place.ts';

/** The work directory of a download. */
export interface DownloadPlace extends WorkPlace {
  readonly journal: string;
}

/**
 * Moves unfinished files of the same model's other downloads into a directory, where they are resumed. If several have the same file, the
 * most complete one is used. An empty directory is removed after that. The caller holds the lock of the model's downloads, and has
 * recorded the files in the directory.
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
      const blocks = arrivedBlocks(file, arrived);
      const from = join(other.files, file.path);
      if (!names.has(file.path) || blocks.length <= arrivedBlocks(file, here).length || !(await isOwnFile(from, file.size))) continue;
      // Lines are hints: if the file is not moved after that, they do no harm to the one that is here.
      await appendLines(to.journal, file, blocks);
      await makeDirectory(dirname(join(to.files, file.path)));
      await rename(from, join(to.files, file.path));
      for (const { start, sha256 } of blocks) here.set(placeOf(file, start), sha256);
    }
    if (names.size > 0 && (await isEmptied(other))) await clearWorkPlace(other);
  }
}

async function appendLines(path: string, file: PromisedFile, blocks: readonly ArrivedBlock[]): Promise<void> {
  await using journal = await openJournal(path);
  for (const block of blocks) await journal.add({ path: journalName(file), ...block });
}

/** A file with a hard link elsewhere is also the content of another model. */
async function isOwnFile(path: string, size: number): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  return info?.isFile() === true && info.nlink === 1 && info.size === size;
}

/** False if the directory cannot be read: it may still have files. */
const isEmptied = ({ files }: WorkPlace): Promise<boolean> =>
  listBelow(files).then(
    (found) => found.every(({ item }) => item.isDirectory()),
    () => false,
  );
