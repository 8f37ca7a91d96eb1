import type { Sha256 } from '../../kernel/sha256.ts';
import type { FileDigest } from '../hashing/hash-job.ts';
import type { ArrivalReply } from './arrival-message.ts';
import { joinArrivalThread } from './arrival-thread.ts';
import { createByteRanges } from './byte-ranges.ts';

/**
 * Computes the digest of a file while it arrives. Bytes in order are hashed from memory. Bytes out of order are read back from the disk
 * as soon as everything before them has arrived. So a large file need not be read again as a whole at the end.
 */
export interface ArrivalHash extends Disposable {
  /**
   * Hashes bytes that have been written to the file. They are copied before it returns.
   * @returns a promise to wait for before the next bytes, if hashing is behind
   */
  arrived(bytes: Uint8Array, start: number): Promise<void> | undefined;
  /** Reports bytes that are in the file but were not passed to `arrived`. @param end exclusive */
  found(start: number, end: number): void;
  /** The number of bytes, from the start of the file, that are hashed or queued for hashing. */
  front(): number;
  /**
   * Returns the digest of the whole file after all of it has arrived.
   * @returns undefined if the whole file must be read back: a byte was written twice, or the thread failed
   */
  finish(): Promise<FileDigest | undefined>;
  /** The number of bytes that were read back from the disk. */
  bytesReadBack(): number;
}

/** Options for hashing a file while it arrives. */
export interface ArrivalHashOptions {
  /** In bytes. */
  readonly size: number;
  /** Returns the current path of the file. */
  readonly path: () => string;
  readonly withGitId: boolean;
  /** Called with the digest of each block, in order, one mebibyte each (docs/on-disk-format.md, "on-demand/"). */
  readonly onBlock?: (start: number, sha256: Sha256) => void;
}

/** The most bytes of one file that may wait to be hashed. */
const maxWaiting = 1024 * 1024;
/** The bytes read back in one step. Other files get their turns in between. */
const readBytes = 4 * 1024 * 1024;

/** Creates the hash of a file of which nothing has arrived yet. */
export function createArrivalHash({ size, path, withGitId, onBlock }: ArrivalHashOptions): ArrivalHash {
  const known = createByteRanges();
  const finished = Promise.withResolvers<FileDigest | undefined>();
  let posted = 0;
  let waiting = 0;
  let readBack = 0;
  let isReading = false;
  let isOver = false;
  let isFinishing = false;
  let wake: (() => void)[] = [];

  const thread = joinArrivalThread((reply) => onReply(reply));
  const { id } = thread;
  const end = (digest: FileDigest | undefined): void => {
    if (isOver) return;
    isOver = true;
    thread.post({ type: 'drop', id });
    thread.end();
    finished.resolve(digest);
    wakeAll();
  };
  const wakeAll = (): void => {
    const all = wake;
    wake = [];
    for (const one of all) one();
  };
  const onReply = (reply: ArrivalReply): void => {
    if (reply.type === 'failed') end(undefined);
    else if (reply.type === 'digest') end(reply.digest);
    else if (reply.type === 'block') onBlock?.(reply.start, reply.sha256);
    else {
      waiting -= reply.bytes;
      if (waiting === 0) isReading = false;
      if (waiting <= maxWaiting) wakeAll();
      advance();
    }
  };
  /** Reads back bytes that arrived out of order, once everything before them is there. */
  const advance = (): void => {
    if (isOver || isReading) return;
    const to = Math.min(known.runEnd(posted), posted + readBytes);
    if (to > posted) {
      isReading = true;
      thread.post({ type: 'read', id, path: path(), start: posted, end: to });
      readBack += to - posted;
      waiting += to - posted;
      posted = to;
    } else if (isFinishing) {
      if (posted < size) end(undefined);
      else thread.post({ type: 'finish', id });
      isFinishing = false;
    }
  };
  const isKnown = (start: number, to: number): boolean => known.runEnd(start) > start || (known.nextStart(start) ?? to) < to;

  thread.post({ type: 'open', id, size, withGitId, withBlocks: onBlock !== undefined });
  return {
    arrived: (bytes, start) => {
      if (isOver || bytes.length === 0) return undefined;
      // These bytes replace bytes that were hashed.
      if (isKnown(start, start + bytes.length)) {
        end(undefined);
        return undefined;
      }
      known.add(start, start + bytes.length);
      // While an earlier part is being read back, these bytes would wait in memory for a long time.
      if (start === posted && !isReading) {
        waiting += bytes.length;
        posted += bytes.length;
        thread.postBytes(bytes);
      }
      advance();
      return waiting > maxWaiting && !isReading ? new Promise((resolve) => wake.push(resolve)) : undefined;
    },
    found: (start, to) => {
      if (isOver) return;
      known.add(start, to);
      advance();
    },
    front: () => posted,
    finish: () => {
      isFinishing = true;
      advance();
      return finished.promise;
    },
    bytesReadBack: () => readBack,
    [Symbol.dispose]: () => end(undefined),
  };
}
