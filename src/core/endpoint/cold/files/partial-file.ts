import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SkulkError } from '../../../kernel/errors.ts';
import { makeDirectory } from '../../../kernel/files/make-directory.ts';
import { quote, type RelativePath } from '../../../kernel/files/relative-path.ts';
import type { Sha256 } from '../../../kernel/sha256.ts';
import { type ArrivalHash, createArrivalHash } from '../../../transfer/arrival/arrival-hash.ts';
import type { ByteRanges } from '../../../transfer/arrival/byte-ranges.ts';
import { checkArrived } from '../../../transfer/arrival/check-arrived.ts';
import { arrivedBlocks, journalName, readArrived } from '../../../transfer/arrived-blocks.ts';
import { blockSize } from '../../../transfer/file-blocks.ts';
import type { FileDigest } from '../../../transfer/hashing/hash-job.ts';
import { runHashJob } from '../../../transfer/hashing/hash-pool.ts';
import { openJournal, type PartJournal } from '../../../transfer/part-journal.ts';
import type { ContentId, PromisedFile } from '../../../transfer/promised-file.ts';
import { syncFile } from '../../../transfer/sync-file.ts';
import type { OpenPartial } from '../bytes/file-fetch-contract.ts';

/**
 * An incomplete file on the disk: sparse, with a journal of the received blocks (docs/on-disk-format.md, "on-demand/"). It outlives the
 * process.
 */
export interface PartialFile {
  readonly id: ContentId;
  /** Its current path. */
  path(): string;
  /** Opens it, with the valid data of an earlier process. */
  open(): Promise<OpenPartial>;
  /** Hashes written bytes, and records the blocks that they complete. */
  written(bytes: Uint8Array, start: number, present: ByteRanges): Promise<void>;
  /** Verifies the whole file, and reads back only what arrived out of order; then syncs it. Throws INTEGRITY. */
  verify(signal: AbortSignal): Promise<FileDigest>;
  /** Moves it to a path where another writer continues, and keeps the journal. @returns the digests of blocks, by their start */
  handOver(to: string): Promise<ReadonlyMap<number, Sha256>>;
  /** Whether it is at another path, where another writer records new blocks. */
  isHandedOver(): boolean;
  /** Moves it back when the other writer has stopped. Blocks received there are not recorded here. */
  takeBack(): Promise<void>;
  /** Sets its current path. */
  lieAt(path: string): void;
  remove(): Promise<void>;
  /** Bytes that were read back from the disk for the digest of the whole file and for the journal. */
  bytesReadBack(): number;
}

/** The options of a partial file. */
export interface PartialOptions {
  /** The model's directory inside the store's work directory. */
  readonly directory: string;
  readonly id: ContentId;
  readonly size: number;
  /** The path in the model. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Rejects if there is no space for this many bytes. */
  readonly requireRoom: (bytes: number) => Promise<void>;
}

const journalIn = (directory: string): string => join(directory, 'journal');
/** How many blocks of one file are hashed at the same time. */
const maxNoting = 2;

/** Does not touch the disk yet. */
export function createPartialFile({ directory, id, size, name, signal, requireRoom }: PartialOptions): PartialFile {
  // A name that is independent of the path: no directories are needed, and no disk treats two names as the same.
  const own = createHash('sha256').update(`${name}\0${id.value}`).digest('hex');
  const file: PromisedFile = { path: own as RelativePath, size, id };
  let path = join(directory, own);
  let isElsewhere = false;
  let journal: PartJournal | undefined;
  const noting = new Set<Promise<void>>();
  const noted = new Set<number>();
  let hash: ArrivalHash | undefined;
  let readBack = 0;

  const note = async (start: number, end: number): Promise<void> => {
    readBack += end - start;
    const sha256 = await runHashJob({ kind: 'range', path, start, end }, { signal });
    if (!isElsewhere) await journal?.add({ path: journalName(file), start, sha256 });
  };
  const noteHashed = (start: number, sha256: Sha256): void => {
    if (isElsewhere || noted.has(start)) return;
    noted.add(start);
    keep(journal?.add({ path: journalName(file), start, sha256 }));
  };
  /** A missing line only means that one block is fetched again. */
  const keep = (line: Promise<void> | undefined): void => {
    const work: Promise<void> = Promise.resolve(line)
      .catch(() => undefined)
      .finally(() => noting.delete(work));
    noting.add(work);
  };
  return {
    id,
    bytesReadBack: () => readBack + (hash?.bytesReadBack() ?? 0),
    path: () => path,
    isHandedOver: () => isElsewhere,
    takeBack: async () => {
      if (!isElsewhere) return;
      await makeDirectory(directory);
      await rename(path, join(directory, own));
      path = join(directory, own);
      isElsewhere = false;
    },
    lieAt: (there) => {
      path = there;
      isElsewhere = true;
    },
    open: async () => {
      await makeDirectory(dirname(path));
      const arrived = isElsewhere ? new Map<string, Sha256>() : await readArrived(journalIn(directory));
      const info = await stat(path).catch(() => undefined);
      const known = info?.size === size ? arrivedBlocks(file, arrived) : [];
      const good = known.length === 0 ? [] : await runHashJob({ kind: 'check', path, pieces: known }, { signal });
      const present = known.filter((_, index) => good[index]);
      for (const { start } of present) noted.add(start);
      await requireRoom(size - present.reduce((sum, { start, end }) => sum + end - start, 0));
      if (info?.size !== size && !isElsewhere) {
        await rm(path, { force: true });
        const created = await open(path, 'wx');
        await created.truncate(size).finally(() => created.close());
      }
      const handle = await open(path, 'r+');
      journal ??= await openJournal(journalIn(directory));
      const lines = journal;
      const arriving = createArrivalHash({ size, path: () => path, withGitId: id.kind === 'git', onBlock: noteHashed });
      hash = arriving;
      for (const { start, end } of present) arriving.found(start, end);
      return {
        present,
        disk: diskOf(handle),
        [Symbol.asyncDispose]: async () => {
          arriving[Symbol.dispose]();
          await Promise.allSettled(noting);
          await lines[Symbol.asyncDispose]();
          journal = undefined;
          await handle.close();
        },
      };
    },
    written: async (bytes, start, present) => {
      if (isElsewhere) return;
      const end = start + bytes.length;
      await hash?.arrived(bytes, start);
      const hashed = hash?.front() ?? 0;
      for (let at = start - (start % blockSize); at < end; at += blockSize) {
        const to = Math.min(at + blockSize, size);
        if (to <= hashed || noted.has(at) || present.runEnd(at) < to) continue;
        noted.add(at);
        keep(note(at, to));
        if (noting.size > maxNoting) await Promise.race(noting);
      }
    },
    verify: async (over) => {
      const digest = await checkArrived(file, path, {
        hash,
        signal: over,
        onReadBack: () => {
          readBack += size;
        },
      });
      if (digest === undefined)
        throw new SkulkError('INTEGRITY', `${quote(name)} does not have the expected content, and was discarded`, {
          hint: 'repeat the request; if it fails again, a proxy or a mirror changes the data, or memory is damaged',
        });
      await syncFile(path);
      return digest;
    },
    handOver: async (to) => {
      // The other writer hashes it itself.
      hash?.[Symbol.dispose]();
      await Promise.allSettled(noting);
      const arrived = await readArrived(journalIn(directory));
      await makeDirectory(dirname(to));
      await rename(path, to);
      path = to;
      isElsewhere = true;
      return new Map(arrivedBlocks(file, arrived).map(({ start, sha256 }) => [start, sha256]));
    },
    remove: () => rm(path, { force: true }),
  };
}

/** A file that is open for reading and writing. */
export const diskOf = (handle: FileHandle): OpenPartial['disk'] => ({
  read: async (buffer, position) => {
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  },
  write: async (bytes, position) => {
    for (let written = 0; written < bytes.length; )
      written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  },
});
