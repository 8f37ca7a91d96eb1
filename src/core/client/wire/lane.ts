import type { LookupAddress } from 'node:dns';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import type { RetryPolicy } from '../../kernel/flow/backoff.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { PieceRequest } from '../../store/contract.ts';
import { fetchPiece, type PieceFile } from '../../transfer/fetch-piece.ts';
import type { Piece } from '../../transfer/pieces.ts';
import type { RateLimiter } from '../../transfer/rate-limiter.ts';
import { isTransient } from '../http/transient.ts';
import { type LaneItem, largeBytes } from './batches.ts';
import { createPieceReader, type WireTarget } from './piece-reader.ts';

/** What all lanes of a transfer have in common; it can be handed to a thread. */
export interface LaneSettings {
  readonly target: WireTarget;
  /** Where the store's name leads; undefined for a URL with an address. */
  readonly addresses: readonly LookupAddress[] | undefined;
  readonly modelId: ModelId;
  /** Whose files are there in their full length, but for those that come in one piece. */
  readonly directory: string;
  readonly policy: RetryPolicy;
}

/** The other end of a lane. What returns a promise is waited for. */
export interface LanePort {
  /** What to fetch next; small pieces come several at a time. Undefined: there is no more. */
  next(): Promise<readonly LaneItem[] | undefined>;
  verified(number: number, sha256: Sha256): Promise<void> | undefined;
  part(number: number, bytes: number): Promise<void> | undefined;
  resumed(bytes: number): void;
  received(bytes: number): void;
  discarded(bytes: number): void;
}

/** A file that comes in one piece need not be there. */
const openFlags = constants.O_RDWR | constants.O_CREAT;
/** One read of the system may bring so much; a slower transfer is read in smaller pieces, so that it flows evenly. */
const maxBufferBytes = 1024 * 1024;
const minBufferBytes = 16 * 1024;
/** So few small pieces in hand are worth asking for more. */
const lowWater = 32;

/**
 * Fetches pieces over one connection, hashing and writing them where they arrive, on this very thread.
 * @throws SkulkError as `fetchPiece` does; NeedsOrdinaryClient; the signal's reason
 */
export async function runLane(
  { target, addresses, modelId, directory, policy }: LaneSettings,
  port: LanePort,
  { limiter, signal }: { readonly limiter: RateLimiter; readonly signal: AbortSignal },
): Promise<void> {
  const perTurn = limiter.shared === undefined ? maxBufferBytes : Math.ceil(limiter.shared.bytesPerSecond / 40);
  const buffer = Buffer.allocUnsafeSlow(Math.max(minBufferBytes, Math.min(maxBufferBytes, perTurn)));
  const reader = createPieceReader(target, { buffer, lookup: addresses && lookUpIn(addresses) });
  const files = openFiles(directory);
  const requestFor = ({ path, start, end, fileSha256 }: Piece): PieceRequest => ({
    modelId,
    path,
    range: { start, end },
    sha256: fileSha256,
  });
  const queue: LaneItem[] = [];
  let isOver = false;
  let refilling: Promise<void> | undefined;
  const refill = (): Promise<void> => {
    refilling ??= port.next().then((items) => {
      refilling = undefined;
      isOver = items === undefined;
      queue.push(...(items ?? []));
      if (queue.length > 1) reader.announce((items ?? []).filter(({ part }) => part === 0).map(({ piece }) => requestFor(piece)));
    });
    return refilling;
  };
  try {
    for (;;) {
      if (queue.length === 0 && !isOver) await refill();
      const item = queue.shift();
      if (item === undefined) break;
      const { number, piece, part } = item;
      // The next small pieces are on their way before the last of these has come.
      const isSmall = piece.end - piece.start < largeBytes;
      if (isSmall && queue.length < lowWater && !isOver) void refill();
      const digest = await fetchPiece(piece, files.open(piece.path), join(directory, piece.path), {
        receive: (rest, over, sink) => reader.receive(requestFor(rest), over, sink),
        isTransient,
        limiter,
        policy,
        signal,
        partOf: () => part,
        onPart: (_, bytes) => port.part(number, bytes),
        onResumed: port.resumed,
        onBytes: port.received,
        onDiscarded: port.discarded,
      });
      await port.verified(number, digest);
    }
  } finally {
    reader.close();
    files.close();
  }
}

/** Every address is tried, as the system's own look-up would have them tried. */
const lookUpIn =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_hostname, options, callback) => {
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
  };

/** Keeps the last file open: the pieces of one file follow each other. Nothing else runs on a lane's thread that would wait for the disk. */
function openFiles(directory: string): { open(path: string): PieceFile; close(): void } {
  let current: { readonly path: string; readonly descriptor: number } | undefined;
  const close = (): void => {
    if (current !== undefined) closeSync(current.descriptor);
    current = undefined;
  };
  return {
    close,
    open: (path) => {
      if (current?.path !== path) {
        close();
        current = { path, descriptor: openSync(join(directory, path), openFlags) };
      }
      const { descriptor } = current;
      return {
        read: (buffer, length, position) => readSync(descriptor, buffer, 0, length, position),
        write: (bytes, position) => {
          for (let written = 0; written < bytes.length; )
            written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
          return undefined;
        },
      };
    },
  };
}
