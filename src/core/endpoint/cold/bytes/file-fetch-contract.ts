import type { ByteRange } from '../../../store/contract.ts';
import type { ByteRanges } from '../../../transfer/arrival/byte-ranges.ts';
import type { FetchDisk, FetchSource } from './bring-claim.ts';
import type { After } from './hide-stalls.ts';

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
