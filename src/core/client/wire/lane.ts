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

/** The common settings of all lanes of a transfer; they can be sent to a thread. */
export interface LaneSettings {
  readonly target: WireTarget;
  /** The addresses of the store's name; undefined for a URL with an address. */
  readonly addresses: readonly LookupAddress[] | undefined;
  readonly modelId: ModelId;
  /** The directory of the files. They exist in their full length, except those of a single piece. */
  readonly directory: string;
  readonly policy: RetryPolicy;
}

/** The other side of a lane. Returned promises are awaited. */
export interface LanePort {
  /** The next pieces to fetch; several if they are small. Undefined if there are no more. */
  next(): Promise<readonly LaneItem[] | undefined>;
  verified(number: number, sha256: Sha256): Promise<void> | undefined;
  part(number: number, bytes: number): Promise<void> | undefined;
  resumed(bytes: number): void;
  received(bytes: number): void;
  discarded(bytes: number): void;
}

/** The file of a single piece may not exist yet. */
const openFlags = constants.O_RDWR | constants.O_CREAT;
/** The maximum of one read. A limited rate uses smaller reads, so that it flows evenly. */
const maxBufferBytes = 1024 * 1024;
const minBufferBytes = 16 * 1024;
/** With this few small pieces left, more are requested. */
const lowWater = 32;

/**
 * Fetches pieces over one connection, and hashes and writes them on this thread.
 * @throws SkulkError as `fetchPiece`; NeedsOrdinaryClient; the signal's reason
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
      // The next small pieces are requested before the last of these has arrived.
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

/** Every address is tried, like with the system's own lookup. */
const lookUpIn =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_hostname, options, callback) => {
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
  };

/**
 * Keeps the last file open, because the pieces of one file follow each other. A lane's thread has nothing else to do, so synchronous disk
 * access is fine.
 */
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
