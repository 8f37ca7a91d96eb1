import { createHash, type Hash } from 'node:crypto';
import { SkulkError } from '../kernel/errors.ts';
import { explainSystemError } from '../kernel/explain-system-error.ts';
import { quote, type RelativePath } from '../kernel/files/relative-path.ts';
import { backoffDelay, pause, type RetryPolicy, retryDelay } from '../kernel/flow/backoff.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** A part of a file; `end` is exclusive. */
export interface WantedPiece {
  readonly path: RelativePath;
  readonly start: number;
  readonly end: number;
  /** The digest of these bytes; undefined if only the whole file's digest is known, which the caller then verifies. */
  readonly sha256: Sha256 | undefined;
}

/** Consumes bytes. They may be overwritten after it has returned, or after the returned promise has settled. */
export type Sink = (bytes: Uint8Array) => Promise<void> | undefined;

/** A file that pieces are written into. A method that returns no promise has finished when it returns. */
export interface PieceFile {
  read(buffer: Buffer, length: number, position: number): Promise<number> | number;
  write(bytes: Uint8Array, position: number): Promise<void> | undefined;
}

/** The tools for fetching one piece. */
export interface PieceTools<P extends WantedPiece> {
  /** Delivers the bytes of a piece, or of the rest of it, in order. Resolves after the last available byte. */
  readonly receive: (piece: P, signal: AbortSignal, sink: Sink) => Promise<void>;
  /** Whether a failure may be temporary. */
  readonly isTransient: (error: unknown) => boolean;
  readonly limiter: RateLimiter;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Hashes a written piece on another thread. If absent, the bytes are hashed on this thread as they pass. */
  readonly digestOf?: ((piece: P, signal: AbortSignal) => Promise<Sha256>) | undefined;
  /** The number of first bytes of a piece that are probably written. The digest of the whole piece decides at the end. */
  readonly partOf?: ((piece: P) => number) | undefined;
  /** Called about every mebibyte with the number of first bytes of a piece that are written. */
  readonly onPart?: ((piece: P, bytes: number) => Promise<void> | undefined) | undefined;
  /** Called with the number of bytes that were already there. */
  readonly onResumed?: ((bytes: number) => void) | undefined;
  /** Called with the number of bytes from the network, valid or not. */
  readonly onBytes: (bytes: number) => void;
  /** Called with the number of received bytes that do not count, because their piece must be fetched again. */
  readonly onDiscarded: (bytes: number) => void;
}

const triesOfBadContent = 3;
/** The number of bytes after which progress of a piece is recorded. */
const partBytes = 1024 * 1024;
/** A connection that delivered this many bytes counts as progress, so that the retries start again from zero. */
const progressBytes = 256 * 1024;

/**
 * Fetches one piece, and hashes it while it is written. Fetches a wrong piece again, up to three times in all. Resumes at the byte where
 * a connection broke: on a very unstable link no whole piece would ever arrive otherwise.
 * @param name the file, for messages
 * @returns the digest of the piece
 * @throws SkulkError INTEGRITY if wrong bytes persist, NO_SPACE, the source's own errors
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
      await pause(retryDelay(policy, failures, error), signal);
    }
  }
}

/** Hashes the bytes of a piece that are already there. @returns their number */
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
