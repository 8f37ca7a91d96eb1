import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { backoffDelay, pause, type RetryPolicy } from '../kernel/backoff.ts';
import { SkulkError } from '../kernel/errors.ts';
import { explainSystemError } from '../kernel/explain-system-error.ts';
import type { RelativePath } from '../kernel/relative-path.ts';
import { quote } from '../kernel/relative-path.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { Piece } from './pieces.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** A part of a file; `end` is exclusive. */
export interface WantedPiece {
  readonly path: RelativePath;
  readonly start: number;
  readonly end: number;
  /** Of these bytes; undefined where only the whole file's digest is promised, which the caller then checks. */
  readonly sha256: Sha256 | undefined;
}

/** What `fetchPieces` works with. */
export interface FetchPlan<P extends WantedPiece = Piece> {
  readonly pieces: readonly P[];
  /** Directory whose files are already there in their full length. */
  readonly directory: string;
  /** Opens the bytes of a piece, or of the rest of it, in order. */
  readonly read: (piece: P, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Whether a failure may pass by itself. */
  readonly isTransient: (error: unknown) => boolean;
  readonly connections: number;
  readonly limiter: RateLimiter;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** A piece is on its place and its digest, where one was promised, was right. */
  readonly onVerified: (piece: P, sha256: Sha256) => Promise<void>;
  /** How many of the first bytes of a piece are probably in their place; the digest of the whole piece tells in the end. */
  readonly partOf?: (piece: P) => number;
  /** That many of the first bytes of a piece are in their place. Called every mebibyte or so. */
  readonly onPart?: (piece: P, bytes: number) => Promise<void>;
  /** Bytes that were in their place already. */
  readonly onResumed?: (bytes: number) => void;
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
 * Fetches pieces over several connections; each is hashed while it is written at its place, and counts only if its
 * digest is right. A wrong one is fetched anew, three times in all; a broken connection is taken up as long as the policy allows.
 * @throws SkulkError INTEGRITY when wrong bytes persist, NO_SPACE, the source's own errors
 */
export async function fetchPieces<P extends WantedPiece>(plan: FetchPlan<P>): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([plan.signal, failure.signal]);
  const queue = plan.pieces.values();
  const lane = async (): Promise<void> => {
    await using files = openFiles(plan.directory);
    // One iterator for all lanes: a slow connection holds up only its own piece.
    for (const piece of queue) {
      if (signal.aborted) throw signal.reason;
      await plan.onVerified(piece, await fetchPiece(piece, await files.open(piece.path), { ...plan, signal }));
    }
  };
  const lanes = Array.from({ length: Math.max(1, Math.min(plan.connections, plan.pieces.length)) }, () =>
    lane().catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(lanes);
  if (plan.signal.aborted) throw plan.signal.reason;
  if (failure.signal.aborted) throw failure.signal.reason;
}

/** A connection that breaks is taken up where it broke: on a link that never lasts for a whole piece nothing else would end. */
async function fetchPiece<P extends WantedPiece>(piece: P, file: FileHandle, plan: FetchPlan<P>): Promise<Sha256> {
  const { policy, signal } = plan;
  let sha256 = createHash('sha256');
  let received = await hashPart(file, piece, plan.partOf?.(piece) ?? 0, sha256);
  if (received > 0) plan.onResumed?.(received);
  let noted = received;
  let failures = 0;
  for (let bad = 0; ; ) {
    const before = received;
    try {
      const rest = { ...piece, start: piece.start + received };
      for await (const bytes of plan.read(rest, signal)) {
        if (received + bytes.length > piece.end - piece.start) throw wrongBytes(piece, 'was longer than it should be');
        await plan.limiter.take(bytes.length, signal);
        await writeFully(file, bytes, piece.start + received);
        sha256.update(bytes);
        received += bytes.length;
        plan.onBytes(bytes.length);
        if (received - noted >= partBytes && plan.onPart !== undefined) {
          noted = received;
          await plan.onPart(piece, received);
        }
      }
      const digest = sha256.digest('hex') as Sha256;
      if (piece.sha256 !== undefined && digest !== piece.sha256)
        throw wrongBytes(piece, 'did not have the content that the manifest promises');
      return digest;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof SkulkError && error.code === 'INTEGRITY') {
        plan.onDiscarded(received);
        sha256 = createHash('sha256');
        received = 0;
        noted = 0;
        bad += 1;
        if (bad >= triesOfBadContent) throw error;
        await pause(backoffDelay(policy, bad), signal);
        continue;
      }
      failures = received - before >= progressBytes ? 1 : failures + 1;
      if (failures >= policy.attempts || !plan.isTransient(error))
        throw explainSystemError(error, `cannot write ${join(plan.directory, piece.path)}`);
      const asked = error instanceof SkulkError ? (error.retryAfterMs ?? 0) : 0;
      await pause(Math.max(Math.min(asked, policy.longestAskedMs ?? 60_000), backoffDelay(policy, failures)), signal);
    }
  }
}

/** Hashes the bytes of a piece that are there already. @returns how many they are */
async function hashPart(file: FileHandle, { start, end }: WantedPiece, bytes: number, sha256: Hash): Promise<number> {
  const length = bytes >= end - start ? 0 : bytes;
  const buffer = Buffer.allocUnsafe(Math.min(length, partBytes));
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - done), start + done);
    if (bytesRead === 0) return done;
    sha256.update(buffer.subarray(0, bytesRead));
    done += bytesRead;
  }
  return done;
}

const wrongBytes = ({ path, start, end }: WantedPiece, why: string): SkulkError =>
  new SkulkError('INTEGRITY', `bytes ${start} to ${end} of ${quote(path)} came ${triesOfBadContent} times and each time it ${why}`, {
    hint: 'run `skulk verify` on the store host: its copy or its disk is damaged',
  });

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; )
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
}

/** Keeps the last file open: the pieces of one file follow each other. */
function openFiles(directory: string): AsyncDisposable & { open(path: string): Promise<FileHandle> } {
  let current: { path: string; file: FileHandle } | undefined;
  const close = async (): Promise<void> => {
    const { file } = current ?? {};
    current = undefined;
    await file?.close();
  };
  return {
    open: async (path) => {
      if (current?.path === path) return current.file;
      await close();
      const file = await open(join(directory, path), 'r+');
      current = { path, file };
      return file;
    },
    [Symbol.asyncDispose]: close,
  };
}
