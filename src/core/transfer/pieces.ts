import { chunkSize } from '../kernel/chunk-size.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { Sha256 } from '../kernel/sha256.ts';

/** The unit that a transfer fetches, verifies and journals: a chunk of a large file, or a whole small file. */
export interface Piece {
  readonly path: RelativePath;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** The digest of these bytes. */
  readonly sha256: Sha256;
  /** The digest of the whole file. */
  readonly fileSha256: Sha256;
}

interface FileToSplit {
  readonly path: RelativePath;
  readonly size: number;
  readonly sha256: Sha256;
  readonly chunks?: readonly Sha256[];
}

/** The pieces of a file, in order. Pure. */
export function splitIntoPieces({ path, size, sha256, chunks }: FileToSplit): readonly Piece[] {
  if (chunks === undefined) return [{ path, start: 0, end: size, sha256, fileSha256: sha256 }];
  return chunks.map((chunk, index) => ({
    path,
    start: index * chunkSize,
    end: Math.min((index + 1) * chunkSize, size),
    sha256: chunk,
    fileSha256: sha256,
  }));
}

/** The piece of a file that starts at a byte; undefined if there is none. Pure. */
export function pieceAt(file: FileToSplit, start: number): Piece | undefined {
  const { path, size, sha256, chunks } = file;
  if (chunks === undefined) return start === 0 ? splitIntoPieces(file)[0] : undefined;
  const chunk = start % chunkSize === 0 ? chunks[start / chunkSize] : undefined;
  return chunk === undefined ? undefined : { path, start, end: Math.min(start + chunkSize, size), sha256: chunk, fileSha256: sha256 };
}

/** The key of a piece in a journal: its position and its digest, so that a line is never valid for other content. */
export const pieceKey = ({ path, start, sha256 }: Pick<Piece, 'path' | 'start' | 'sha256'>): string =>
  JSON.stringify([path, start, sha256]);
