import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../../kernel/errors.ts';
import type { Manifest } from '../../../protocol/manifest.ts';
import type { IncomingCopy } from '../../../staging/layout.ts';
import { runHashJob } from '../../../transfer/hashing/hash-pool.ts';
import { openJournal, readJournal } from '../../../transfer/part-journal.ts';
import { pieceKey, splitIntoPieces } from '../../../transfer/pieces.ts';

/** The record of the aria2 that writes, or wrote, to an unfinished copy. */
const recordOf = ({ path }: IncomingCopy): string => join(path, 'aria2.json');

/** Ends the aria2 of a killed process, which might still write to an unfinished copy. */
export async function endSharedWrites(incoming: IncomingCopy): Promise<void> {
  if (!(await exists(recordOf(incoming)))) return;
  const { endLeftAria2 } = await import('../../../swarm/left-aria2.ts');
  await endLeftAria2(recordOf(incoming), { keepRecord: true });
}

/**
 * Keeps what an interrupted process received from other nodes. Those bytes were not in the journal, because they are verified at the end:
 * so they are verified now.
 */
export async function keepShared(incoming: IncomingCopy, { files }: Manifest, signal: AbortSignal): Promise<void> {
  if (!(await exists(recordOf(incoming)))) return;
  const known = await readJournal(incoming.journal);
  {
    await using journal = await openJournal(incoming.journal);
    for (const file of files) {
      const path = join(incoming.files, file.path);
      if (!(await exists(path))) continue;
      const pieces = splitIntoPieces(file).filter((piece) => !known.has(pieceKey(piece)));
      const good = await runHashJob({ kind: 'check', path, pieces }, { signal });
      for (const [index, piece] of pieces.entries()) if (good[index] === true) await journal.add(piece);
    }
  }
  const { endLeftAria2 } = await import('../../../swarm/left-aria2.ts');
  await endLeftAria2(recordOf(incoming));
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
