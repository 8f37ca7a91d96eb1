import { chunkSize } from '../kernel/chunk-size.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { WantedPiece } from './fetch-pieces.ts';

/** What is journalled at a time; a chunk is a multiple of it. */
export const blockSize = 1024 * 1024;

/** A part of a file; `end` is exclusive. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** The blocks of a file, in order. */
export const blocksOf = ({ size }: { readonly size: number }): readonly Range[] =>
  Array.from({ length: Math.ceil(size / blockSize) }, (_, index) => ({
    start: index * blockSize,
    end: Math.min((index + 1) * blockSize, size),
  }));

/** A run of missing blocks, of which nothing is promised but the file as a whole. */
export interface FilePiece<F> extends WantedPiece {
  readonly file: F;
}

/** What has to be fetched of a file; `here` names the blocks that are, by where they begin: the blocks that are not here, those that follow each other in one piece, up to a chunk. */
export function missingPieces<F extends { readonly path: RelativePath; readonly size: number }>(
  file: F,
  here: ReadonlySet<number>,
): readonly FilePiece<F>[] {
  const pieces: FilePiece<F>[] = [];
  let last: Range | undefined;
  for (const { start, end } of blocksOf(file)) {
    if (here.has(start)) continue;
    const isNext = last?.end === start && start % chunkSize !== 0;
    const piece = { file, path: file.path, start: isNext ? (last as Range).start : start, end, sha256: undefined };
    if (isNext) pieces.pop();
    pieces.push(piece);
    last = piece;
  }
  return pieces;
}
