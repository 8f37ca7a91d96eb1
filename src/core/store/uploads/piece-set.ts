/** A set of the pieces of an upload, by number: one bit each. */
export interface PieceSet {
  has(number: number): boolean;
  add(number: number): void;
  count(): number;
}

/** An empty set for the numbers below `size`. */
export function createPieceSet(size: number): PieceSet {
  const bytes = new Uint8Array(Math.ceil(size / 8));
  let total = 0;
  const has = (number: number): boolean => (((bytes[number >> 3] ?? 0) >> (number & 7)) & 1) === 1;
  return {
    has,
    add: (number) => {
      if (has(number)) return;
      bytes[number >> 3] = (bytes[number >> 3] ?? 0) | (1 << (number & 7));
      total += 1;
    },
    count: () => total,
  };
}
