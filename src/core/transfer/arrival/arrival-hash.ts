import type { Sha256 } from '../../kernel/sha256.ts';
import type { FileDigest } from '../hash-job.ts';
import type { ArrivalReply } from './arrival-message.ts';
import { joinArrivalThread } from './arrival-thread.ts';
import { createByteRanges } from './byte-ranges.ts';

/**
 * The digest of a file, made while it arrives: what comes in order is hashed from memory, and only what came out of order is read back
 * from the disk, as soon as all before it is there. So the end of a large file need not wait until all of it is read once more.
 */
export interface ArrivalHash extends Disposable {
  /**
   * Bytes have been written to their place. They are copied before it returns.
   * @returns what to wait for before more is brought: hashing is behind
   */
  arrived(bytes: Uint8Array, start: number): Promise<void> | undefined;
  /** Bytes that are in the file, and were not handed in. @param end exclusive */
  found(start: number, end: number): void;
  /** So many bytes, from the first on, are hashed or on their way to it. */
  front(): number;
  /**
   * The digest of the whole file, once all of it has arrived.
   * @returns undefined when it has to be read back as a whole: a byte was written twice, or the thread failed
   */
  finish(): Promise<FileDigest | undefined>;
  /** Bytes that were read back from the disk. */
  bytesReadBack(): number;
}

/** What a file is hashed with while it arrives. */
export interface ArrivalHashOptions {
  /** In bytes. */
  readonly size: number;
  /** Where the file is now. */
  readonly path: () => string;
  readonly withGitId: boolean;
  /** Told the digest of each block, in order, a mebibyte each (docs/on-disk-format.md, "on-demand/"). */
  readonly onBlock?: (start: number, sha256: Sha256) => void;
}

/** What may wait to be hashed of one file, in bytes. */
const maxWaiting = 1024 * 1024;
/** What is read back at a time; other files take their turns between. */
const readBytes = 4 * 1024 * 1024;

/** Nothing has arrived yet. */
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
      goOn();
    }
  };
  /** Reads back what came out of order, once all before it is there. */
  const goOn = (): void => {
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
      // What the disk holds there now is not what was hashed.
      if (isKnown(start, start + bytes.length)) {
        end(undefined);
        return undefined;
      }
      known.add(start, start + bytes.length);
      // Behind a part that is being read back it would wait in memory for long.
      if (start === posted && !isReading) {
        waiting += bytes.length;
        posted += bytes.length;
        thread.postBytes(bytes);
      }
      goOn();
      return waiting > maxWaiting && !isReading ? new Promise((resolve) => wake.push(resolve)) : undefined;
    },
    found: (start, to) => {
      if (isOver) return;
      known.add(start, to);
      goOn();
    },
    front: () => posted,
    finish: () => {
      isFinishing = true;
      goOn();
      return finished.promise;
    },
    bytesReadBack: () => readBack,
    [Symbol.dispose]: () => end(undefined),
  };
}
