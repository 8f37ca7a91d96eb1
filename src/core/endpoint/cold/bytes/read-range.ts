import { SkulkError } from '../../../kernel/errors.ts';
import type { ByteRange } from '../../../store/contract.ts';
import type { FetchDisk } from './bring-claim.ts';
import type { ByteBoard } from './byte-board.ts';

/** The state of a fetch that readers need. */
export interface FetchState {
  /** Whether a feeder is active, which also decides about the content. */
  isFed: boolean;
  isConfirmed: boolean;
  failure: { readonly error: unknown } | undefined;
}

interface Reading {
  readonly board: ByteBoard;
  readonly disk: FetchDisk;
  readonly state: FetchState;
  readonly signal: AbortSignal;
}

/** The buffer size of each active reader. */
const readBytes = 64 * 1024;
/** Free buffers of waiting or finished readers. */
const free: Buffer[] = [];
const maxFree = 16;
const takeBuffer = (): Buffer => free.pop() ?? Buffer.allocUnsafeSlow(readBytes);
const releaseBuffer = (buffer: Buffer): void => {
  if (free.length < maxFree) free.push(buffer);
};
/** While a complete file is not verified yet, this many of its last bytes are held back, */
const heldBack = 64 * 1024;
/** and sent in parts of this size, except the last byte. */
const trickleBytes = 1024;

/**
 * The bytes of a range as they arrive. A buffer is overwritten when the next one is requested.
 * @param need makes sure that a byte is fetched; returns whether a connection is near enough to wait a little first
 */
export async function* readRange(
  { start, end }: ByteRange,
  {
    need,
    nearMs,
    trickleMs,
    ...reading
  }: Reading & { readonly need: (at: number, isLate: boolean) => boolean; readonly nearMs: number; readonly trickleMs: number },
): AsyncGenerator<Uint8Array> {
  const { board, state, signal } = reading;
  const { size, present } = board;
  let isLate = false;
  let trickled = 0;
  for (let at = start; at < end; ) {
    requireAlive(reading);
    const isHeld = board.isWhole() && !state.isConfirmed;
    const free = isHeld ? Math.min(size - 1, Math.max(0, size - heldBack) + trickled) : size;
    const to = Math.min(end, present.runEnd(at), free);
    if (to > at) {
      at += yield* readPart(reading, at, to);
      isLate = false;
    } else if (isHeld) {
      if (await board.change(at, { signal, late: trickleMs })) trickled += trickleBytes;
    } else {
      const isNear = need(at, isLate);
      isLate = await board.change(at, { signal, late: isNear ? nearMs : undefined });
    }
  }
}

/**
 * The same for a caller that writes the bytes itself, and fetches unclaimed ones.
 * @param open opens the bytes of a part, in order
 */
export async function* feedRange(
  { start, end }: ByteRange,
  { open, ...reading }: Reading & { readonly open: (range: ByteRange, signal: AbortSignal) => AsyncIterable<Uint8Array> },
): AsyncGenerator<Uint8Array> {
  const { board, signal } = reading;
  for (let at = start; at < end; ) {
    requireAlive(reading);
    const to = Math.min(end, board.present.runEnd(at));
    if (to > at) {
      at += yield* readPart(reading, at, to);
      continue;
    }
    if (board.claimAt(at) !== undefined) {
      await board.change(at, { signal });
      continue;
    }
    const claim = board.claim(at, { isFed: true, to: end });
    try {
      for await (const part of open({ start: at, end: claim.end }, signal)) {
        const wanted = part.subarray(0, claim.end - claim.at);
        yield wanted;
        // The consumer requests more, so these bytes have been written.
        board.written(claim, wanted.length);
        if (claim.at >= claim.end) break;
      }
      if (claim.at < claim.end) return;
    } finally {
      at = claim.at;
      board.release(claim);
    }
  }
}

function requireAlive({ state, signal }: Reading): void {
  if (signal.aborted) throw signal.reason;
  if (state.failure !== undefined) throw state.failure.error;
}

/** Yields existing bytes. @returns their number */
async function* readPart({ disk }: Reading, at: number, to: number): AsyncGenerator<Uint8Array, number> {
  const buffer = takeBuffer();
  const part = buffer.subarray(0, Math.min(buffer.length, to - at));
  const bytes = await disk.read(part, at);
  if (bytes === 0)
    throw new SkulkError('INTEGRITY', "the received data of the file is gone from the store's disk", { hint: 'repeat the request' });
  yield part.subarray(0, bytes);
  // Not after a reader left: its connection may still be sending the buffer.
  releaseBuffer(buffer);
  return bytes;
}
