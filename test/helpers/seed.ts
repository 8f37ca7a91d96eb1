/** The seed of this run: `SKULK_TEST_SEED`, else another one each time. Tests show it when they fail. */
export const seed = Number(process.env['SKULK_TEST_SEED'] ?? Date.now() % 1_000_000);

/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
export function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
