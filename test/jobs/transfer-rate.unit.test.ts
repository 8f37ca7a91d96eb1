import { expect, test } from 'vitest';
import { createTransferRate } from '../../src/core/jobs/transfer-rate.ts';
import { secondsLeft } from '../../src/core/kernel/flow/time-left.ts';

const mebibyte = 1024 * 1024;

test('a rate is the mean of the last ten seconds in which bytes came', () => {
  const rate = createTransferRate();
  expect(rate.perSecond(0)).toBeNull();
  for (let second = 0; second <= 20; second += 1) rate.add(second * mebibyte, second * 1000);
  expect(rate.perSecond(20_000)).toBe(mebibyte);
  // Half the time without a byte halves it.
  expect(rate.perSecond(30_000)).toBe(mebibyte / 2);
});

test('a rate of a connection that brings nothing is no rate, however often it is reported', () => {
  const rate = createTransferRate();
  rate.add(0, 0);
  rate.add(1_000, 1_000);
  expect(rate.perSecond(1_000)).toBe(1_000);
  for (let second = 2; second <= 30; second += 1) rate.add(1_000, second * 1_000);
  expect(rate.perSecond(30_000)).toBeNull();
  // It begins anew with what comes after the silence.
  rate.add(5_000, 31_000);
  expect(rate.perSecond(31_000)).toBeNull();
  rate.add(9_000, 32_000);
  expect(rate.perSecond(32_000)).toBe(4_000);
});

test('a time that nobody waits for is not told', () => {
  expect(secondsLeft(100 * mebibyte, mebibyte)).toBe(100);
  expect(secondsLeft(0, mebibyte)).toBe(0);
  expect(secondsLeft(140e9, 100)).toBeUndefined();
  expect(secondsLeft(1, 0)).toBeUndefined();
});
