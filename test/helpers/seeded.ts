import { test } from 'vitest';

/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of this run: SKULK_TEST_SEED, or a new one. Put it into the message of a failure. */
export const testSeed = Number(process.env['SKULK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Whether this is the long form of a test: `x.long.test.ts` beside `x.test.ts`. */
export const isLong = process.env['SKULK_TEST_LONG'] === '1';

/** How much longer the random searches of the long form take: SKULK_TEST_ROUNDS, by default 1. */
const patience = Number(process.env['SKULK_TEST_ROUNDS'] ?? 1);

/** The number of repetitions: few in the short form, many times SKULK_TEST_ROUNDS in the long form. */
export const rounds = ({ few, many }: { few: number; many: number }): number => (isLong ? Math.ceil(many * patience) : few);

/** A size: small in the short form, large in the long form. */
export const sized = ({ small, large }: { small: number; large: number }): number => (isLong ? large : small);

/**
 * The points from 1 to `count` at which a process is killed: `few` random ones in the short form. In the long form a third of them, one random
 * one in each three, or all with SKULK_TEST_ROUNDS=3.
 */
export function killPoints(count: number, few: number, random: () => number): readonly number[] {
  const wanted = isLong ? Math.min(count, Math.ceil((count * patience) / 3)) : few;
  return Array.from({ length: wanted }, (_, index) => 1 + Math.floor(((index + random()) * count) / wanted));
}

/** The first row of a table of tests in the short form, all of them in the long form. */
export const few = <T>(rows: readonly T[]): readonly T[] => (isLong ? rows : rows.slice(0, 1));

/** A test that the current form does not have. */
const noTest = Object.assign(() => {}, { each: () => () => {}, for: () => () => {}, skipIf: () => () => {}, runIf: () => () => {} });

/** `test` in the long form; in the short form the test does not exist. */
export const longTest = (isLong ? test : noTest) as typeof test;

/**
 * `test` in the short form, for a test of a file that has long tests too; in the long form the test does not exist, because everything that
 * runs the long form runs the short one as well.
 */
export const usualTest = (isLong ? noTest : test) as typeof test;
