import { expect, test } from 'vitest';
import { createRateLimiter } from '../../src/core/transfer/rate-limiter.ts';

const { signal } = new AbortController();

/** A clock that moves only when something waits. */
function fakeClock() {
  let at = 0;
  return {
    now: () => at,
    pause: async (milliseconds: number) => {
      at += milliseconds;
    },
    skip: (milliseconds: number) => {
      at += milliseconds;
    },
  };
}

test('a transfer takes as long as its bytes at the limited rate, for any size of the pieces', async () => {
  for (const size of [1, 64, 1000, 7777]) {
    const clock = fakeClock();
    const limiter = createRateLimiter(1000, clock);
    for (let sent = 0; sent < 10_000; sent += size) await limiter.take(Math.min(size, 10_000 - sent), signal);
    expect(clock.now()).toBeGreaterThanOrEqual(9_899);
    expect(clock.now()).toBeLessThanOrEqual(10_001);
  }
});

test('idle time does not allow a faster rate later', async () => {
  const clock = fakeClock();
  const limiter = createRateLimiter(1000, clock);
  clock.skip(60_000);
  await limiter.take(2000, signal);
  expect(clock.now()).toBeGreaterThanOrEqual(61_899);
});

test('two concurrent transfers share the rate', async () => {
  const waits: number[] = [];
  const limiter = createRateLimiter(1000, { now: () => 0, pause: async (milliseconds) => void waits.push(milliseconds) });
  await Promise.all([limiter.take(1000, signal), limiter.take(1000, signal)]);
  expect(waits).toEqual([1000, 2000]);
});

test('an interrupted wait ends with the reason', async () => {
  const stop = new AbortController();
  const waiting = createRateLimiter(1).take(3600, stop.signal);
  stop.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
});
