import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '../kernel/sha256.ts';
import { fetchPiece, type PieceFile, type PieceTools, type Sink, type WantedPiece } from './fetch-piece.ts';
import type { Piece } from './pieces.ts';

export type { WantedPiece } from './fetch-piece.ts';

/** The input of `fetchPieces`. */
export interface FetchPlan<P extends WantedPiece = Piece> extends Omit<PieceTools<P>, 'receive'> {
  readonly pieces: readonly P[];
  /** The directory of the files. They exist in their full length, except those of a single piece. */
  readonly directory: string;
  /** Opens the bytes of a piece, or of the rest of it, in order. */
  readonly read: (piece: P, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly connections: number;
  /** Whether to postpone a piece, before its request or after a failure. A postponed piece is not verified, and its failure is ignored. */
  readonly isPostponed?: ((piece: P, failure?: unknown) => boolean) | undefined;
  /** Called when a piece is written, and its digest, if known, was right. */
  readonly onVerified: (piece: P, sha256: Sha256) => Promise<void>;
}

/**
 * Fetches pieces over several connections, on this thread; see `fetchPiece`.
 * @throws SkulkError INTEGRITY if wrong bytes persist, NO_SPACE, the source's own errors
 */
export async function fetchPieces<P extends WantedPiece>(plan: FetchPlan<P>): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([plan.signal, failure.signal]);
  const queue = plan.pieces.values();
  const receive = async (piece: P, over: AbortSignal, sink: Sink): Promise<void> => {
    for await (const bytes of plan.read(piece, over)) await sink(bytes);
  };
  const lane = async (): Promise<void> => {
    await using files = openFiles(plan.directory);
    // One iterator for all connections: a slow one delays only its own piece.
    for (const piece of queue) {
      if (signal.aborted) throw signal.reason;
      const name = join(plan.directory, piece.path);
      if (plan.isPostponed?.(piece) === true) continue;
      const digest = await fetchPiece(piece, await files.open(piece.path), name, { ...plan, signal, receive }).catch((error: unknown) => {
        if (signal.aborted || plan.isPostponed?.(piece, error) !== true) throw error;
        return undefined;
      });
      if (digest !== undefined) await plan.onVerified(piece, digest);
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

/** Keeps the last file open: the pieces of one file follow each other. */
function openFiles(directory: string): AsyncDisposable & { open(path: string): Promise<PieceFile> } {
  let current: { readonly path: string; readonly handle: FileHandle; readonly file: PieceFile } | undefined;
  const close = async (): Promise<void> => {
    const { handle } = current ?? {};
    current = undefined;
    await handle?.close();
  };
  return {
    open: async (path) => {
      if (current?.path === path) return current.file;
      await close();
      const handle = await open(join(directory, path), constants.O_RDWR | constants.O_CREAT);
      current = { path, handle, file: asPieceFile(handle) };
      return current.file;
    },
    [Symbol.asyncDispose]: close,
  };
}

const asPieceFile = (handle: FileHandle): PieceFile => ({
  read: async (buffer, length, position) => (await handle.read(buffer, 0, length, position)).bytesRead,
  write: async (bytes, position) => {
    for (let written = 0; written < bytes.length; )
      written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  },
});
