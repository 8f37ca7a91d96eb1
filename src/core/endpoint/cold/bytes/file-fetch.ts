import { startDeadline } from '../../../kernel/flow/deadline.ts';
import { bringClaim, type FetchDisk } from './bring-claim.ts';
import { type Claim, createByteBoard } from './byte-board.ts';
import type { FetchLimits, FileFetch, FileFetchOptions, OpenPartial } from './file-fetch-contract.ts';
import { type FetchState, feedRange, readRange } from './read-range.ts';

/** The limits of a server. */
export const usualFetchLimits: FetchLimits = {
  stallMs: 4_000,
  farBytes: 16 * 1024 * 1024,
  nearMs: 2_000,
  graceMs: 60_000,
  trickleMs: 4_000,
  connections: 16,
  after: startDeadline,
};

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
