import type { Piece } from '../../transfer/pieces.ts';

/** A piece that a lane is to fetch. */
export interface LaneItem {
  /** What the piece is called between lane and transfer. */
  readonly number: number;
  readonly piece: Piece;
  /** How many of its first bytes are probably in their place. */
  readonly part: number;
}

/** Hands out pieces, so that whoever is quick gets more. */
export interface Batches {
  /** A large piece, or small ones that together are as large as a request is worth; undefined when there are none left. */
  next(): readonly LaneItem[] | undefined;
  /** Takes back what somebody did not come to. */
  giveBack(numbers: Iterable<number>): void;
  isLeft(): boolean;
}

/** A piece of so many bytes or more is a batch of its own. */
export const largeBytes = 1024 * 1024;
const maxItems = 64;

/** @param partOf how many of the first bytes of a piece are probably in their place */
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
    giveBack: (numbers) => void returned.push(...numbers),
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
