import { expect, test } from 'vitest';
import { createTransferRate } from '../../src/core/kernel/flow/transfer-rate.ts';

const mebibyte = 1024 * 1024;
const day = 24 * 3600;

test('a transfer rate is the mean of the last five seconds with data', () => {
  const rate = createTransferRate();
  expect(rate.perSecond(0)).toBeNull();
  for (let second = 0; second <= 20; second += 1) rate.add(second * mebibyte, second * 1000);
  expect(rate.perSecond(20_000)).toBe(mebibyte);
  // Half of the time without data halves the rate.
  expect(rate.perSecond(25_000)).toBe(mebibyte / 2);
  // Slow data of long ago does not lower the rate.
  for (let second = 21; second <= 26; second += 1) rate.add((second - 20) * 10 * mebibyte + 20 * mebibyte, second * 1000);
  expect(rate.perSecond(26_000)).toBe(10 * mebibyte);
});

test('a transfer has no rate in the first second, and no time left in the first five', () => {
  const rate = createTransferRate();
  // A connection that starts slowly: at this rate it would take a day, but it ends in a minute.
  rate.add(0, 0);
  rate.add(100, 300);
  expect(rate.perSecond(300)).toBeNull();
  rate.add(200, 1_200);
  expect(rate.perSecond(1_200)).toBe(167);
  for (const [at, bytes] of [
    [2_000, 1],
    [3_000, 2],
    [4_000, 3],
    [4_900, 4],
  ] as const) {
    rate.add(bytes * mebibyte, at);
    expect(rate.secondsLeft(100 * mebibyte, at), `${at}`).toBeNull();
    expect(rate.perSecond(at), `${at}`).toBeGreaterThan(0);
  }
  rate.add(5 * mebibyte, 6_000);
  rate.add(6 * mebibyte, 7_000);
  expect(rate.secondsLeft(100 * mebibyte, 7_000)).toBe(100);
  expect(rate.secondsLeft(0, 7_000)).toBe(0);
});

test('a time left of a day or longer is not shown', () => {
  const rate = createTransferRate();
  for (let second = 0; second <= 6; second += 1) rate.add(second * 1000, second * 1000);
  expect(rate.secondsLeft((day - 1) * 1000, 6_000)).toBe(day - 1);
  expect(rate.secondsLeft(day * 1000, 6_000)).toBeNull();
  expect(rate.secondsLeft(140e9, 6_000)).toBeNull();
});

test('a connection without data has no rate, however often its progress is reported', () => {
  const rate = createTransferRate();
  rate.add(0, 0);
  rate.add(1_000, 1_000);
  expect(rate.perSecond(1_000)).toBe(1_000);
  for (let second = 2; second <= 30; second += 1) rate.add(1_000, second * 1_000);
  expect(rate.perSecond(30_000)).toBeNull();
  expect(rate.secondsLeft(1_000, 30_000)).toBeNull();
  // It starts again with the data after the silence.
  rate.add(5_000, 31_000);
  expect(rate.perSecond(31_000)).toBeNull();
  rate.add(9_000, 32_000);
  expect(rate.perSecond(32_000)).toBe(4_000);
  expect(rate.secondsLeft(1_000, 32_000)).toBeNull();
});

test('data that arrives in large steps has a rate between the steps', () => {
  const rate = createTransferRate();
  for (let step = 0; step <= 4; step += 1) rate.add(step * 70 * mebibyte, step * 7_000);
  expect(rate.perSecond(28_000)).toBe(10 * mebibyte);
  expect(rate.secondsLeft(100 * mebibyte, 28_000)).toBe(10);
});
