import { backoffDelay, pause, type RetryPolicy } from '../../../kernel/flow/backoff.ts';
import type { ByteRange } from '../../../store/contract.ts';
import { UselessAnswer } from '../../../transfer/useless-answer.ts';
import type { ByteBoard, Claim } from './byte-board.ts';
import { type After, hideStalls } from './hide-stalls.ts';

/** Where the bytes of a file are put as they come, each at its place. */
export interface FetchDisk {
  /** Fills the buffer; less only at the end of the file. */
  read(buffer: Buffer, position: number): Promise<number>;
  write(bytes: Uint8Array, position: number): Promise<void>;
}

/** Where the bytes of a file come from. */
export interface FetchSource {
  /** `whole`: ask for all of the file, and leave out what is before `start`. */
  open(range: ByteRange & { readonly whole: boolean }, signal: AbortSignal): AsyncIterable<Uint8Array>;
  isTransient(error: unknown): boolean;
  readonly retry: RetryPolicy;
}

/** What bringing takes. */
export interface BringOptions {
  readonly board: ByteBoard;
  readonly disk: FetchDisk;
  readonly source: FetchSource;
  /** What is known of the source; set when it sends whole files only. */
  readonly known: { wholeOnly: boolean };
  readonly stallMs: number;
  readonly after: After;
  /** Told of bytes that have been written to their place, also of those that somebody else has brought meanwhile. */
  readonly onWritten: (bytes: Uint8Array, start: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A connection that brought so much before it broke was worth its while. */
const progressBytes = 256 * 1024;

/**
 * Brings the bytes of a claim to their places, over one connection after the other.
 * @throws what the source or the disk says when another try does not help; the signal's reason
 */
export async function bringClaim(claim: Claim, options: BringOptions): Promise<void> {
  const { source, known, signal } = options;
  let failures = 0;
  while (claim.at < claim.end) {
    const before = claim.at;
    try {
      await bringOnce(claim, options);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof UselessAnswer && !known.wholeOnly) {
        // The rest of the file comes over this connection, whoever wanted to take a part of it.
        known.wholeOnly = true;
        continue;
      }
      failures = claim.at - before >= progressBytes ? 1 : failures + 1;
      if (failures >= source.retry.attempts || !source.isTransient(error)) throw error;
      await pause(backoffDelay(source.retry, failures), signal);
    }
  }
}

async function bringOnce(claim: Claim, { board, disk, source, known, stallMs, after, onWritten, signal }: BringOptions): Promise<void> {
  const { end } = claim;
  const whole = known.wholeOnly || (claim.at === 0 && end === board.size);
  const open = (start: number, over: AbortSignal): AsyncIterable<Uint8Array> => source.open({ start, end, whole }, over);
  for await (const part of hideStalls(open, { start: claim.at, stallMs, signal, after })) {
    const start = claim.at;
    // Somebody else may have taken the rest over since.
    const wanted = part.subarray(0, Math.max(0, claim.end - start));
    await disk.write(wanted, start);
    board.written(claim, Math.min(wanted.length, Math.max(0, claim.end - start)));
    await onWritten(wanted, start);
    if (claim.at >= claim.end) return;
  }
}
