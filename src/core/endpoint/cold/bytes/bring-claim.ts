import { backoffDelay, pause, type RetryPolicy } from '../../../kernel/flow/backoff.ts';
import type { ByteRange } from '../../../store/contract.ts';
import { UselessAnswer } from '../../../transfer/useless-answer.ts';
import type { ByteBoard, Claim } from './byte-board.ts';
import { type After, hideStalls } from './hide-stalls.ts';

/** The file to which received bytes are written, each at its position. */
export interface FetchDisk {
  /** Fills the buffer; reads less only at the end of the file. */
  read(buffer: Buffer, position: number): Promise<number>;
  write(bytes: Uint8Array, position: number): Promise<void>;
}

/** The source of a file's bytes. */
export interface FetchSource {
  /** `whole`: request the whole file, and skip the bytes before `start`. */
  open(range: ByteRange & { readonly whole: boolean }, signal: AbortSignal): AsyncIterable<Uint8Array>;
  isTransient(error: unknown): boolean;
  readonly retry: RetryPolicy;
}

/** The input of `bringClaim`. */
export interface BringOptions {
  readonly board: ByteBoard;
  readonly disk: FetchDisk;
  readonly source: FetchSource;
  /** What is known about the source; set if it only sends whole files. */
  readonly known: { wholeOnly: boolean };
  readonly stallMs: number;
  readonly after: After;
  /** Called with bytes that have been written, also if another connection wrote them in the meantime. */
  readonly onWritten: (bytes: Uint8Array, start: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A connection that delivered this many bytes before it broke counts as progress. */
const progressBytes = 256 * 1024;

/**
 * Fetches the bytes of a claim, over one connection after the other.
 * @throws the error of the source or the disk if another try does not help; the signal's reason
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
        // This connection delivers the rest of the file, even if another one was about to fetch a part of it.
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
    // Another connection may have taken over the rest since.
    const wanted = part.subarray(0, Math.max(0, claim.end - start));
    await disk.write(wanted, start);
    board.written(claim, Math.min(wanted.length, Math.max(0, claim.end - start)));
    await onWritten(wanted, start);
    if (claim.at >= claim.end) return;
  }
}
