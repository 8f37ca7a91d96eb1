import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { quote } from '../kernel/files/relative-path.ts';
import { arrivedBlocks, createBlockNotes, placeOf, readArrived } from './arrived-blocks.ts';
import type { FetchedFiles, FetchFilesPlan } from './fetch-files-plan.ts';
import { type FetchWork, fetchRound, isTentative } from './fetch-round.ts';
import { createFilesProgress } from './files-progress.ts';
import { openJournal } from './part-journal.ts';
import type { PromisedFile } from './promised-file.ts';

/**
 * Fetches files in pieces, over several connections and several files at once. Verifies each file as a whole as soon as its last piece
 * has arrived; most of a large file is hashed by then (see `createArrivalHash`). Fetches a file with wrong content once more, or twice if
 * its digest is tentative. Arrived pieces are journalled: after a kill, valid pieces are not requested again. If the source does not send
 * parts of files, whole files are requested, each over one connection.
 * @throws SkulkError INTEGRITY if a file's content is wrong twice, NO_SPACE, the source's own errors
 */
export async function fetchFiles<F extends PromisedFile>(plan: FetchFilesPlan<F>): Promise<FetchedFiles> {
  const { files, directory, signal } = plan;
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const arrived = await readArrived(plan.journal);
  const progress = createFilesProgress<F>(total, plan.onBytes);
  await makeDirectory(directory);
  await using journal = await openJournal(plan.journal);
  const notes = createBlockNotes<F>(journal, { directory, signal });
  const work: FetchWork<F> = { plan, arrived, notes, progress, done: new Map(), others: new Map(), hashes: new Map(), bytesReadBack: 0 };
  using _hashes = {
    [Symbol.dispose]: () => {
      for (const hash of work.hashes.values()) hash[Symbol.dispose]();
    },
  };
  let wanted = files;
  for (let round = 1; wanted.length > 0; round += 1) {
    wanted = await fetchRound(work, wanted);
    for (const file of wanted) {
      await rm(join(directory, file.path), { force: true });
      plan.sharing?.discard(file);
      progress.wrong(file);
      if (round > (isTentative(file) ? 2 : 1)) throw wrongContent(file);
      for (const { start } of arrivedBlocks(file, arrived)) arrived.delete(placeOf(file, start));
    }
  }
  return {
    files: files.map((file) => work.done.get(file)).filter((file) => file !== undefined),
    bytesTransferred: progress.bytesTransferred(),
    bytesReadBack: work.bytesReadBack,
  };
}

const wrongContent = ({ path }: PromisedFile): SkulkError =>
  new SkulkError('INTEGRITY', `${quote(path)} failed its checksum twice`, {
    hint: 'a proxy or this machine corrupts data; the file was discarded',
  });
