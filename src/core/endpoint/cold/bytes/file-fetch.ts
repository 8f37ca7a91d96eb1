import { startDeadline } from '../../../kernel/flow/deadline.ts';
import type { ByteRange } from '../../../store/contract.ts';
import type { ByteRanges } from '../../../transfer/arrival/byte-ranges.ts';
import { bringClaim, type FetchDisk, type FetchSource } from './bring-claim.ts';
import { type Claim, createByteBoard } from './byte-board.ts';
import type { After } from './hide-stalls.ts';
import { type FetchState, feedRange, readRange } from './read-range.ts';

/** How long things may take, in milliseconds, and how much may be open. */
export interface FetchLimits {
  /** After so long without a byte a second connection is opened. */
  readonly stallMs: number;
  /** A reader that is so far ahead of a connection, in bytes, gets one of its own at once, */
  readonly farBytes: number;
  /** and one that is nearer after so long. */
  readonly nearMs: number;
  /** So long it goes on when nobody reads any more. */
  readonly graceMs: number;
  /** While a file is checked, so often a few of its last bytes are handed out: clients give up on silence. */
  readonly trickleMs: number;
  /** Connections for one file. */
  readonly connections: number;
  readonly after: After;
}

export const usualFetchLimits: FetchLimits = {
  stallMs: 4_000,
  farBytes: 16 * 1024 * 1024,
  nearMs: 2_000,
  graceMs: 60_000,
  trickleMs: 4_000,
  connections: 16,
  after: startDeadline,
};

/** A file of the work place, open. */
export interface OpenPartial extends AsyncDisposable {
  readonly disk: FetchDisk;
  /** What an earlier fetch has left. */
  readonly present: readonly ByteRange[];
}

/** What fetching one file takes. */
export interface FileFetchOptions {
  /** In bytes. */
  readonly size: number;
  /** Called once, before its first byte is needed. */
  readonly openPartial: () => Promise<OpenPartial>;
  readonly source: FetchSource;
  /** Whether the source may be asked by this fetch itself, and not only by who feeds it. */
  readonly mayAsk: boolean;
  /** Told of bytes that have been written to their place, with all that is here; they are overwritten once it has settled. */
  readonly onWritten: (bytes: Uint8Array, start: number, present: ByteRanges) => Promise<void>;
  /** Checks the whole file and makes it last. Rejects when its content is wrong. */
  readonly verify: (signal: AbortSignal) => Promise<void>;
  /** Whether it goes on though nobody reads. */
  readonly isWanted: () => boolean;
  /** Told once: it has failed, or nobody has read for a while. Nothing is fetched from then on. */
  readonly onEnd: (failure: { readonly error: unknown } | undefined) => void;
  readonly limits: FetchLimits;
}

/** One file that is fetched, for many readers. It begins with the first of them. */
export interface FileFetch {
  readonly size: number;
  /** Whether it asks the source by itself. */
  readonly mayAsk: boolean;
  isFed(): boolean;
  /** The bytes of a range as they come. Throws when they cannot be had, and before the last byte of the file when all of it is here and wrong. */
  read(range: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array>;
  /**
   * The same for who writes the bytes to their places himself: what nobody brings yet comes by `open`, and what has been handed out is
   * there for every reader once more is asked for.
   */
  feed(
    range: ByteRange,
    open: (range: ByteRange, signal: AbortSignal) => AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array>;
  /** Whether somebody feeds it, who then decides about its content and its end. */
  setFed(isFed: boolean): void;
  /** The whole content is right. */
  confirm(): void;
  isConfirmed(): boolean;
  /** Bytes that are here. */
  bytes(): number;
  /** Settles when its file lies on the disk. */
  opened(): Promise<void>;
  /** Whether it has been begun, and has not ended. */
  isOpen(): boolean;
  /** Whether it has ended because nobody read it: it cannot be read any more. */
  isLeft(): boolean;
  hasReaders(): boolean;
  /** Ends it, when nobody reads. */
  stop(): void;
  /** Ends it; readers get the error. */
  fail(error: unknown): void;
}

/** Nothing is opened or asked for yet. */
export function createFileFetch(options: FileFetchOptions): FileFetch {
  const { size, limits, source, mayAsk } = options;
  const board = createByteBoard(size, limits.after);
  const ending = new AbortController();
  const known = { wholeOnly: false };
  const state: FetchState = { isFed: false, isConfirmed: false, failure: undefined };
  let partial: Promise<OpenPartial> | undefined;
  let users = 0;
  let readers = 0;
  let isOver = false;
  let isLeft = false;
  let isChecking = false;
  let stopGrace: (() => void) | undefined;

  const open = async (): Promise<FetchDisk> => {
    partial ??= options.openPartial().then((opened) => {
      for (const { start, end } of opened.present) board.present.add(start, end);
      return opened;
    });
    return (await partial).disk;
  };
  const end = (failure: FetchState['failure']): void => {
    if (isOver) return;
    isOver = true;
    isLeft = failure === undefined;
    state.failure = failure ?? { error: new Error('nobody reads it any more') };
    stopGrace?.();
    ending.abort(state.failure.error);
    board.wakeAll();
    closeWhenUnused();
    options.onEnd(failure);
  };
  const closeWhenUnused = (): void => {
    if (!isOver || users > 0 || partial === undefined) return;
    const opened = partial;
    partial = undefined;
    void opened.then((file) => file[Symbol.asyncDispose]()).catch(() => undefined);
  };
  /** Keeps the file open as long as some work lasts. */
  const using = async function* <T>(work: () => AsyncGenerator<T>): AsyncGenerator<T> {
    users += 1;
    try {
      yield* work();
    } finally {
      users -= 1;
      closeWhenUnused();
    }
  };
  const bring = (claim: Claim): void => {
    users += 1;
    const work = async (): Promise<void> => {
      const disk = await open();
      await bringClaim(claim, {
        ...limits,
        board,
        disk,
        source,
        known,
        signal: ending.signal,
        onWritten: async (bytes, start) => {
          if (!state.isFed) await options.onWritten(bytes, start, board.present);
        },
      });
    };
    work()
      .catch((error: unknown) => end({ error }))
      .finally(() => {
        users -= 1;
        board.release(claim);
        closeWhenUnused();
        drive();
      });
  };
  /** Goes on with what nobody brings, and checks the file when all of it is here. */
  const drive = (): void => {
    if (isOver || state.isFed || state.isConfirmed || partial === undefined) return;
    if (board.isWhole()) {
      if (board.claims.size === 0) void check();
      return;
    }
    const at = board.firstUnclaimed();
    if (mayAsk && at < size && [...board.claims].every(({ isFed }) => isFed)) bring(board.claim(at, { isFed: false }));
  };
  const check = async (): Promise<void> => {
    if (isChecking) return;
    isChecking = true;
    users += 1;
    try {
      await options.verify(ending.signal);
      confirm();
    } catch (error) {
      // Who took it over meanwhile decides.
      if (!state.isFed) end({ error });
    } finally {
      isChecking = false;
      users -= 1;
      closeWhenUnused();
    }
  };
  const confirm = (): void => {
    state.isConfirmed = true;
    board.wakeAll();
  };
  /** Sees to it that a byte comes. @returns whether it is near enough to be waited for a little */
  const need = (at: number, isLate: boolean): boolean => {
    const claim = board.claimAt(at);
    if (claim === undefined) {
      if (mayAsk) bring(board.claim(at, { isFed: false }));
      return false;
    }
    if (!mayAsk || claim.isFed || known.wholeOnly || board.claims.size >= limits.connections || claim.at === at) return false;
    if (at - claim.at < limits.farBytes && !isLate) return true;
    bring(board.claim(at, { isFed: false }));
    return false;
  };
  const waitForReaders = (): void => {
    if (readers > 0 || isOver) return;
    stopGrace?.();
    stopGrace = limits.after(function look() {
      if (readers > 0) return;
      if (options.isWanted()) stopGrace = limits.after(look, limits.graceMs);
      else end(undefined);
    }, limits.graceMs);
  };
  return {
    size,
    mayAsk,
    isFed: () => state.isFed,
    read: (range, signal) =>
      using(async function* () {
        readers += 1;
        stopGrace?.();
        try {
          const disk = await open().catch((error: unknown) => {
            end({ error });
            throw error;
          });
          // What the reader wants comes first.
          if (!isOver && range.start < range.end && board.present.runEnd(range.start) === range.start) need(range.start, false);
          drive();
          yield* readRange(range, { ...limits, board, disk, state, need, signal });
        } finally {
          readers -= 1;
          waitForReaders();
        }
      }),
    feed: (range, bytes, signal) =>
      using(async function* () {
        const disk = await open();
        yield* feedRange(range, { board, disk, state, open: bytes, signal });
      }),
    setFed: (isFed) => {
      state.isFed = isFed;
      drive();
      if (!isFed) waitForReaders();
    },
    confirm,
    isConfirmed: () => state.isConfirmed,
    bytes: () => board.present.bytes(),
    opened: async () => void (await open()),
    isOpen: () => partial !== undefined && !isOver,
    isLeft: () => isLeft,
    hasReaders: () => readers > 0,
    stop: () => end(undefined),
    fail: (error) => end({ error }),
  };
}
