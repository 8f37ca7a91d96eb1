import type { FilePiece } from './file-blocks.ts';
import { UselessAnswer } from './useless-answer.ts';

/** Watches whether a source sends parts of files. */
export interface PartsWatch<F> {
  /** Whether a failure may be accidental. */
  isWorthAnotherTry(failure: unknown): boolean;
  /** Whether a piece must wait until its whole file is requested. */
  isPostponed(piece: FilePiece<F>, failure?: unknown): boolean;
  /** For each file with postponed pieces, the rest of it, from the first postponed piece to its end. */
  rest(): readonly FilePiece<F>[];
}

/** If many machines serve the requests, up to this many useless answers may come from a single faulty one. */
const maxMishaps = 2;

/** Assumes that the source sends parts until it does not. */
export function watchParts<F extends { readonly size: number }>(): PartsWatch<F> {
  const postponed = new Map<F, FilePiece<F>>();
  let useless = 0;
  let isGivenUp = false;
  return {
    isWorthAnotherTry: (failure) => {
      if (!(failure instanceof UselessAnswer)) return true;
      useless += 1;
      return useless <= maxMishaps && !isGivenUp;
    },
    isPostponed: (piece, failure) => {
      if (failure instanceof UselessAnswer) isGivenUp = true;
      else if (failure !== undefined) return false;
      if (!isGivenUp) return false;
      const { file } = piece;
      const start = Math.min(piece.start, postponed.get(file)?.start ?? piece.start);
      postponed.set(file, { ...piece, start, end: file.size });
      return true;
    },
    rest: () => [...postponed.values()],
  };
}
