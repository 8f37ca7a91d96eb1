import { join } from 'node:path';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { blockSize } from './file-blocks.ts';
import { runHashJob } from './hash-pool.ts';
import { type PartJournal, readJournal } from './part-journal.ts';
import { pieceKey } from './pieces.ts';
import type { PromisedFile } from './promised-file.ts';

/** Notes the blocks of files as they arrive, so that a kill costs little more than a block a connection. */
export interface BlockNotes<F extends PromisedFile> {
  /** The digest of a part of a file that is in its place. */
  hashRange(file: F, start: number, end: number): Promise<Sha256>;
  /** The same bytes, which whoever asks for the next ones has written; each block that has been written is noted. */
  noting(file: F, start: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
  /** Notes a block whose digest is known. */
  note(file: F, start: number, sha256: Sha256): Promise<void>;
}

/**
 * Notes blocks in a journal.
 * @param directory where the files lie
 */
export function createBlockNotes<F extends PromisedFile>(
  journal: PartJournal,
  { directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
): BlockNotes<F> {
  const hashRange = (file: F, start: number, end: number): Promise<Sha256> =>
    runHashJob({ kind: 'range', path: join(directory, file.path), start, end }, { signal });
  /** Notes what a block that has been written holds. */
  const noteBlock = async (file: F, end: number): Promise<void> => {
    const start = Math.floor((end - 1) / blockSize) * blockSize;
    await journal.add({ path: journalName(file), start, sha256: await hashRange(file, start, end) });
  };
  const noting = async function* (file: F, start: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let at = start;
    let noted: Promise<void> | undefined;
    for await (const bytes of source) {
      // What was handed out has been written when the next bytes are asked for.
      yield bytes;
      const from = at;
      at += bytes.length;
      // Bytes may come in larger parts than a block.
      for (let end = from - (from % blockSize) + blockSize; end <= at || (at === file.size && end - blockSize < at); end += blockSize) {
        // A block of which only the end came now was begun by an earlier connection, and is in its place as well.
        await noted;
        noted = noteBlock(file, Math.min(end, file.size));
        noted.catch(() => undefined);
      }
    }
    await noted;
  };
  return { hashRange, noting, note: (file, start, sha256) => journal.add({ path: journalName(file), start, sha256 }) };
}

/** A file in the journal: with its id, as another commit may have another content under the path. */
export const journalName = ({ path, id }: PromisedFile): RelativePath => `${id.value} ${path}` as RelativePath;
/** The key of a block in what `readArrived` gives. */
export const placeOf = (file: PromisedFile, start: number): string => JSON.stringify([journalName(file), start]);

/** The last digest that the journal has for each place of each file. */
export async function readArrived(path: string): Promise<Map<string, Sha256>> {
  const arrived = new Map<string, Sha256>();
  for (const line of await readJournal(path)) {
    const entry = parseLine(line);
    if (entry !== undefined && pieceKey(entry) === line) arrived.set(JSON.stringify([entry.path, entry.start]), entry.sha256);
  }
  return arrived;
}

function parseLine(line: string): { path: RelativePath; start: number; sha256: Sha256 } | undefined {
  try {
    const [path, start, sha256] = JSON.parse(line) as [RelativePath, number, Sha256];
    return { path, start, sha256 };
  } catch {
    return undefined;
  }
}
