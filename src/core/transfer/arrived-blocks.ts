import { join } from 'node:path';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { blockSize, blocksOf } from './file-blocks.ts';
import { runHashJob } from './hashing/hash-pool.ts';
import { type PartJournal, readJournal } from './part-journal.ts';
import { pieceKey } from './pieces.ts';
import type { PromisedFile } from './promised-file.ts';

/** Records the blocks of files as they arrive, so that a kill loses little more than one block per connection. */
export interface BlockNotes<F extends PromisedFile> {
  /** Hashes a part of a file that has been written. */
  hashRange(file: F, start: number, end: number): Promise<Sha256>;
  /** Passes bytes through and records each written block. The consumer must have written the bytes when it requests the next ones. */
  noting(file: F, start: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
  /** Records a block whose digest is known. */
  note(file: F, start: number, sha256: Sha256): Promise<void>;
}

/**
 * Records blocks in a journal.
 * @param directory the directory of the files
 */
export function createBlockNotes<F extends PromisedFile>(
  journal: PartJournal,
  { directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
): BlockNotes<F> {
  const hashRange = (file: F, start: number, end: number): Promise<Sha256> =>
    runHashJob({ kind: 'range', path: join(directory, file.path), start, end }, { signal });
  /** Records a block that has been written. */
  const noteBlock = async (file: F, end: number): Promise<void> => {
    const start = Math.floor((end - 1) / blockSize) * blockSize;
    await journal.add({ path: journalName(file), start, sha256: await hashRange(file, start, end) });
  };
  const noting = async function* (file: F, start: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let at = start;
    let noted: Promise<void> | undefined;
    for await (const bytes of source) {
      // The consumer has written these bytes when it requests the next ones.
      yield bytes;
      const from = at;
      at += bytes.length;
      // One part of the bytes may contain several blocks.
      for (let end = from - (from % blockSize) + blockSize; end <= at || (at === file.size && end - blockSize < at); end += blockSize) {
        // The beginning of this block came over an earlier connection, and has been written too.
        await noted;
        noted = noteBlock(file, Math.min(end, file.size));
        noted.catch(() => undefined);
      }
    }
    await noted;
  };
  return { hashRange, noting, note: (file, start, sha256) => journal.add({ path: journalName(file), start, sha256 }) };
}

/** The name of a file in the journal. It contains the id, because another commit may have other content under the same path. */
export const journalName = ({ path, id }: PromisedFile): RelativePath => `${id.value} ${path}` as RelativePath;
/** The key of a block in the result of `readArrived`. */
export const placeOf = (file: PromisedFile, start: number): string => JSON.stringify([journalName(file), start]);

/** A block of a file that has arrived; `end` is exclusive. */
export interface ArrivedBlock {
  readonly start: number;
  readonly end: number;
  readonly sha256: Sha256;
}

/**
 * The blocks of a file in the result of `readArrived`, in order. The work is limited by the smaller of both: the announced size of a file may
 * be a thousand times that of the disk.
 */
export function arrivedBlocks(file: PromisedFile, arrived: ReadonlyMap<string, Sha256>): readonly ArrivedBlock[] {
  const blockAt = (start: number, sha256: Sha256): ArrivedBlock => ({ start, end: Math.min(start + blockSize, file.size), sha256 });
  if (Math.ceil(file.size / blockSize) <= arrived.size)
    return blocksOf(file).flatMap(({ start }) => {
      const sha256 = arrived.get(placeOf(file, start));
      return sha256 === undefined ? [] : [blockAt(start, sha256)];
    });
  const name = journalName(file);
  return [...arrived]
    .flatMap(([place, sha256]) => {
      const [path, start] = JSON.parse(place) as [string, number];
      return path === name && start % blockSize === 0 && start < file.size ? [blockAt(start, sha256)] : [];
    })
    .sort((one, other) => one.start - other.start);
}

/** The last digest in the journal for each block of each file. */
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
