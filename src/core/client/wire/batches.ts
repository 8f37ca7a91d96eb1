import type { Piece } from '../../transfer/pieces.ts';

/** A piece for a lane to fetch. */
export interface LaneItem {
  /** The number of the piece in the transfer. */
  readonly number: number;
  readonly piece: Piece;
  /** How many of its first bytes are probably written already. */
  readonly part: number;
}

/** Distributes pieces, so that a fast lane gets more. */
export interface Batches {
  /** A large piece, or small ones whose total size justifies a request; undefined if none is left. */
  next(): readonly LaneItem[] | undefined;
  /** Returns pieces that a lane did not fetch. */
  putBack(numbers: Iterable<number>): void;
  isLeft(): boolean;
}

/** A piece of at least this many bytes is its own batch. */
export const largeBytes = 1024 * 1024;
const maxItems = 64;

/** @param partOf how many of the first bytes of a piece are probably written already */
export function createBatches(pieces: readonly Piece[], partOf: (number: number) => number): Batches {
  let position = 0;
  const returned: number[] = [];
  const sizeOf = (number: number): number => {
    const { start, end } = pieces[number] as Piece;
    return end - start;
  };
  const peek = (): number | undefined => returned[0] ?? (position < pieces.length ? position : undefined);
  const take = (): number => returned.shift() ?? position++;
  return {
    isLeft: () => peek() !== undefined,
    putBack: (numbers) => void returned.push(...numbers),
    next: () => {
      const items: LaneItem[] = [];
      let bytes = 0;
      for (let number = peek(); number !== undefined && items.length < maxItems; number = peek()) {
        if (items.length > 0 && bytes + sizeOf(number) > largeBytes) break;
        bytes += sizeOf(take());
        items.push({ number, piece: pieces[number] as Piece, part: partOf(number) });
      }
      return items.length === 0 ? undefined : items;
    },
  };
}
