import { pause } from '../kernel/backoff.ts';

/** Lets bytes pass at no more than a rate, over all who share it. */
export interface RateLimiter {
  /** Waits until `bytes` may pass. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
}

/** A limiter without a limit. */
export const unlimited: RateLimiter = { take: async () => {} };

/** Milliseconds, and a way to let them pass. */
export interface Clock {
  readonly now: () => number;
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * A token bucket that holds a tenth of a second.
 * @param bytesPerSecond at least 1
 */
export function createRateLimiter(bytesPerSecond: number, clock: Clock = { now: () => performance.now(), pause }): RateLimiter {
  const burstMs = 100;
  let paidUntil = clock.now();
  return {
    take: async (bytes, signal) => {
      const now = clock.now();
      paidUntil = Math.max(paidUntil, now - burstMs) + (bytes / bytesPerSecond) * 1000;
      if (paidUntil - now > 1) await clock.pause(paidUntil - now, signal);
    },
  };
}
