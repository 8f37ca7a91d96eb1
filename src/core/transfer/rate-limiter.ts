import { pause } from '../kernel/flow/backoff.ts';

/** Limits the rate of bytes, across everything that shares it. */
export interface RateLimiter {
  /** Waits until `bytes` may be sent; returns undefined if they may be sent at once. */
  take(bytes: number, signal: AbortSignal): Promise<void> | undefined;
  /** The state from which another thread creates the same limiter; undefined without a limit. */
  readonly shared: SharedRate | undefined;
}

/** A rate that several threads share. */
export interface SharedRate {
  readonly bytesPerSecond: number;
  /** The time until which the sent bytes use up the rate: microseconds of the system's monotonic clock. */
  readonly paidUntil: BigInt64Array;
}

/** A limiter without a limit. */
export const unlimited: RateLimiter = { take: () => undefined, shared: undefined };

/** A clock in milliseconds, and a way to wait. */
export interface Clock {
  readonly now: () => number;
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** `performance.now()` would start from zero in each thread. */
const monotonic: Clock = { now: () => Number(process.hrtime.bigint()) / 1e6, pause };

const burstMs = 100;

/**
 * A token bucket with a capacity of a tenth of a second.
 * @param bytesPerSecond at least 1
 */
export function createRateLimiter(bytesPerSecond: number, clock: Clock = monotonic): RateLimiter {
  const paidUntil = new BigInt64Array(new SharedArrayBuffer(8));
  paidUntil[0] = toMicroseconds(clock.now());
  return joinRateLimiter({ bytesPerSecond, paidUntil }, clock);
}

/** Joins the limiter that another thread created. */
export function joinRateLimiter(shared: SharedRate, clock: Clock = monotonic): RateLimiter {
  const { bytesPerSecond, paidUntil } = shared;
  return {
    shared,
    take: (bytes, signal) => {
      const now = clock.now();
      const cost = toMicroseconds((bytes / bytesPerSecond) * 1000);
      for (;;) {
        const before = Atomics.load(paidUntil, 0);
        const earliest = toMicroseconds(now - burstMs);
        const until = (before > earliest ? before : earliest) + cost;
        if (Atomics.compareExchange(paidUntil, 0, before, until) !== before) continue;
        const waitMs = Number(until) / 1000 - now;
        return waitMs > 1 ? clock.pause(waitMs, signal) : undefined;
      }
    },
  };
}

const toMicroseconds = (milliseconds: number): bigint => BigInt(Math.round(milliseconds * 1000));
