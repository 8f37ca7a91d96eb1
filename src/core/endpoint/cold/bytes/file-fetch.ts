import { startDeadline } from '../../../kernel/flow/deadline.ts';
import type { ByteRange } from '../../../store/contract.ts';
import type { ByteRanges } from '../../../transfer/arrival/byte-ranges.ts';
import { bringClaim, type FetchDisk, type FetchSource } from './bring-claim.ts';
import { type Claim, createByteBoard } from './byte-board.ts';
import type { After } from './hide-stalls.ts';
import { type FetchState, feedRange, readRange } from './read-range.ts';

/** Time limits in milliseconds, and the number of connections. */
export interface FetchLimits {
  /** After this time without a byte, a second connection is opened. */
  readonly stallMs: number;
  /** A reader that is this many bytes ahead of a connection gets its own at once, */
  readonly farBytes: number;
  /** and a nearer one gets it after this time. */
  readonly nearMs: number;
  /** How long the fetch continues without readers. */
  readonly graceMs: number;
  /** While a file is being verified, a few of its last bytes are sent at this interval, because clients give up on silence. */
  readonly trickleMs: number;
  /** The maximum number of connections for one file. */
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

/** An open file in the work directory. */
export interface OpenPartial extends AsyncDisposable {
  readonly disk: FetchDisk;
  /** The ranges that an earlier fetch has left. */
  readonly present: readonly ByteRange[];
}

/** The options for fetching one file. */
export interface FileFetchOptions {
  /** In bytes. */
  readonly size: number;
  /** Called once, before its first byte is needed. */
  readonly openPartial: () => Promise<OpenPartial>;
  readonly source: FetchSource;
  /** Whether this fetch may contact the source itself, or only receive bytes from its feeder. */
  readonly mayAsk: boolean;
  /** Called with written bytes, and all existing ranges. The buffer is overwritten after the promise has settled. */
  readonly onWritten: (bytes: Uint8Array, start: number, present: ByteRanges) => Promise<void>;
  /** Verifies the whole file and syncs it. Rejects if its content is wrong. */
  readonly verify: (signal: AbortSignal) => Promise<void>;
  /** Whether it continues without readers. */
  readonly isWanted: () => boolean;
  /** Called once: it has failed, or had no readers for a while. Nothing is fetched after that. */
  readonly onEnd: (failure: { readonly error: unknown } | undefined) => void;
  readonly limits: FetchLimits;
}

/** The fetch of one file for many readers. It begins with the first reader. */
export interface FileFetch {
  readonly size: number;
  /** Whether it may contact the source itself. */
  readonly mayAsk: boolean;
  isFed(): boolean;
  /** The bytes of a range as they arrive. Throws if they are unavailable. If the complete file is wrong, throws before its last byte. */
  read(range: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array>;
  /**
   * Like `read`, for a caller that writes the bytes itself. Unclaimed bytes come from `open`. Yielded bytes are available to all readers
   * when the next ones are requested.
   */
  feed(
    range: ByteRange,
    open: (range: ByteRange, signal: AbortSignal) => AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array>;
  /** Sets whether a feeder is active, which then decides about its content and its end. */
  setFed(isFed: boolean): void;
  /** The whole content has been verified. */
  confirm(): void;
  isConfirmed(): boolean;
  /** The number of existing bytes. */
  bytes(): number;
  /** Settles when its file exists on the disk. */
  opened(): Promise<void>;
  /** Whether it has begun and not ended. */
  isOpen(): boolean;
  /** Whether it has ended without readers: it cannot be read any more. */
  isLeft(): boolean;
  hasReaders(): boolean;
  /** Ends it if it has no readers. */
  stop(): void;
  /** Ends it; readers get the error. */
  fail(error: unknown): void;
}

/** Nothing is opened or requested yet. */
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
  /** Keeps the file open during some work. */
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
  /** Fetches unclaimed bytes, and verifies the complete file. */
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
      // If a feeder took over in the meantime, it decides.
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
  /** Makes sure that a byte is fetched. @returns whether a connection is near enough to wait a little */
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
          // The reader's own range comes first.
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
