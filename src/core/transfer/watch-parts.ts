import type { FilePiece } from './file-blocks.ts';
import { UselessAnswer } from './useless-answer.ts';

/** Watches whether who is asked sends parts of files. */
export interface PartsWatch<F> {
  /** Whether a failure may be a single mishap. */
  isWorthAnotherTry(failure: unknown): boolean;
  /** Whether a piece has to wait until its file is asked for as a whole. */
  isPostponed(piece: FilePiece<F>, failure?: unknown): boolean;
  /** What is left of each file of which pieces were postponed, from the first of them to its end. */
  rest(): readonly FilePiece<F>[];
}

/** So many useless answers may be the mishap of one machine of many that answer. */
const maxMishaps = 2;

/** Trusts until it knows better. */
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
