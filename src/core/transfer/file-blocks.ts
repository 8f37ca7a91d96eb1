import { chunkSize } from '../kernel/chunk-size.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { WantedPiece } from './fetch-pieces.ts';

/** The unit of the journal. A chunk is a multiple of it. */
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

/** A run of missing blocks. Only the digest of the whole file is known. */
export interface FilePiece<F> extends WantedPiece {
  readonly file: F;
}

/** The missing blocks of a file; `here` has the start positions of existing ones. Adjacent blocks form one piece, up to a chunk. */
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
