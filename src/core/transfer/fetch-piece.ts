import { createHash, type Hash } from 'node:crypto';
import { SkulkError } from '../kernel/errors.ts';
import { explainSystemError } from '../kernel/explain-system-error.ts';
import { quote, type RelativePath } from '../kernel/files/relative-path.ts';
import { backoffDelay, pause, type RetryPolicy } from '../kernel/flow/backoff.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** A part of a file; `end` is exclusive. */
export interface WantedPiece {
  readonly path: RelativePath;
  readonly start: number;
  readonly end: number;
  /** Of these bytes; undefined where only the whole file's digest is promised, which the caller then checks. */
  readonly sha256: Sha256 | undefined;
}

/** Takes bytes; they may be overwritten once it has returned, or once the promise that it returned is settled. */
export type Sink = (bytes: Uint8Array) => Promise<void> | undefined;

/** A file in which the bytes of pieces have their places. What returns no promise is done when it returns. */
export interface PieceFile {
  read(buffer: Buffer, length: number, position: number): Promise<number> | number;
  write(bytes: Uint8Array, position: number): Promise<void> | undefined;
}

/** What fetching one piece takes. */
export interface PieceTools<P extends WantedPiece> {
  /** Brings the bytes of a piece, or of the rest of it, in order; resolves when it has brought all that there are. */
  readonly receive: (piece: P, signal: AbortSignal, sink: Sink) => Promise<void>;
  /** Whether a failure may pass by itself. */
  readonly isTransient: (error: unknown) => boolean;
  readonly limiter: RateLimiter;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Hashes a piece that is in its place, elsewhere than on this thread; without it the bytes are hashed as they pass. */
  readonly digestOf?: ((piece: P, signal: AbortSignal) => Promise<Sha256>) | undefined;
  /** How many of the first bytes of a piece are probably in their place; the digest of the whole piece tells in the end. */
  readonly partOf?: ((piece: P) => number) | undefined;
  /** That many of the first bytes of a piece are in their place. Called every mebibyte or so. */
  readonly onPart?: ((piece: P, bytes: number) => Promise<void> | undefined) | undefined;
  /** Bytes that were in their place already. */
  readonly onResumed?: ((bytes: number) => void) | undefined;
  /** Bytes that came over the wire, wanted or not. */
  readonly onBytes: (bytes: number) => void;
  /** Bytes that came and do not count, because their piece has to be fetched again. */
  readonly onDiscarded: (bytes: number) => void;
}

const triesOfBadContent = 3;
/** How much of a piece is noted at a time. */
const partBytes = 1024 * 1024;
/** A connection that brought so much before it broke was worth its while, so that patience begins anew. */
const progressBytes = 256 * 1024;

/**
 * Fetches one piece; it is hashed while it is written at its place. A wrong one is fetched anew, three times in all. A
 * connection that breaks is taken up where it broke: on a link that never lasts for a whole piece nothing else would end.
 * @param name the file, for messages
 * @returns the digest of the piece
 * @throws SkulkError INTEGRITY when wrong bytes persist, NO_SPACE, the source's own errors
 */
export async function fetchPiece<P extends WantedPiece>(piece: P, file: PieceFile, name: string, tools: PieceTools<P>): Promise<Sha256> {
  const { policy, signal, limiter } = tools;
  const length = piece.end - piece.start;
  let sha256 = createHash('sha256');
  let received = await hashPart(file, piece, tools.partOf?.(piece) ?? 0, sha256);
  if (received > 0) tools.onResumed?.(received);
  let noted = received;
  let failures = 0;

  const sink: Sink = (bytes) => {
    if (received + bytes.length > length) throw wrongBytes(piece, 'was too long');
    const wait = limiter.take(bytes.length, signal);
    return wait === undefined ? store(bytes) : wait.then(() => store(bytes));
  };
  const store: Sink = (bytes) => {
    const writing = file.write(bytes, piece.start + received);
    return writing === undefined ? count(bytes) : writing.then(() => count(bytes));
  };
  const count: Sink = (bytes) => {
    if (tools.digestOf === undefined) sha256.update(bytes);
    received += bytes.length;
    tools.onBytes(bytes.length);
    if (received - noted < partBytes || tools.onPart === undefined) return undefined;
    noted = received;
    return tools.onPart(piece, received);
  };

  for (let bad = 0; ; ) {
    const before = received;
    try {
      if (received < length) await tools.receive({ ...piece, start: piece.start + received }, signal, sink);
      const digest = tools.digestOf === undefined ? (sha256.digest('hex') as Sha256) : await tools.digestOf(piece, signal);
      if (received === length && (piece.sha256 === undefined || digest === piece.sha256)) return digest;
      throw wrongBytes(piece, received < length ? 'ended too early' : 'failed its checksum');
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof SkulkError && error.code === 'INTEGRITY') {
        tools.onDiscarded(received);
        sha256 = createHash('sha256');
        received = 0;
        noted = 0;
        bad += 1;
        if (bad >= triesOfBadContent) throw error;
        await pause(backoffDelay(policy, bad), signal);
        continue;
      }
      failures = received - before >= progressBytes ? 1 : failures + 1;
      if (failures >= policy.attempts || !tools.isTransient(error)) throw explainSystemError(error, `cannot write ${name}`);
      const asked = error instanceof SkulkError ? (error.retryAfterMs ?? 0) : 0;
      await pause(Math.max(Math.min(asked, policy.maxRetryAfterMs ?? 60_000), backoffDelay(policy, failures)), signal);
    }
  }
}

/** Hashes the bytes of a piece that are there already. @returns how many they are */
async function hashPart(file: PieceFile, { start, end }: WantedPiece, bytes: number, sha256: Hash): Promise<number> {
  const length = bytes >= end - start ? 0 : bytes;
  const buffer = Buffer.allocUnsafe(Math.min(length, partBytes));
  let done = 0;
  while (done < length) {
    const bytesRead = await file.read(buffer, Math.min(buffer.length, length - done), start + done);
    if (bytesRead === 0) return done;
    sha256.update(buffer.subarray(0, bytesRead));
    done += bytesRead;
  }
  return done;
}

const wrongBytes = ({ path, start, end }: WantedPiece, why: string): SkulkError =>
  new SkulkError(
    'INTEGRITY',
    `fetched bytes ${start} to ${end} of ${quote(path)} ${triesOfBadContent} times, and each time the data ${why}`,
    {
      hint: 'run `skulk verify` on the store host: its copy or its disk may be damaged',
    },
  );
