import { pause } from '../kernel/flow/backoff.ts';

/** Lets bytes pass at no more than a rate, over all who share it. */
export interface RateLimiter {
  /** Waits until `bytes` may pass; undefined when they may at once. */
  take(bytes: number, signal: AbortSignal): Promise<void> | undefined;
  /** What another thread makes the same limiter of; undefined without a limit. */
  readonly shared: SharedRate | undefined;
}

/** A rate that several threads keep together. */
export interface SharedRate {
  readonly bytesPerSecond: number;
  /** Until when what has passed is paid for: microseconds of the system's monotonic clock. */
  readonly paidUntil: BigInt64Array;
}

/** A limiter without a limit. */
export const unlimited: RateLimiter = { take: () => undefined, shared: undefined };

/** Milliseconds, and a way to let them pass. */
export interface Clock {
  readonly now: () => number;
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** `performance.now()` would begin anew in each thread. */
const monotonic: Clock = { now: () => Number(process.hrtime.bigint()) / 1e6, pause };

const burstMs = 100;

/**
 * A token bucket that holds a tenth of a second.
 * @param bytesPerSecond at least 1
 */
export function createRateLimiter(bytesPerSecond: number, clock: Clock = monotonic): RateLimiter {
  const paidUntil = new BigInt64Array(new SharedArrayBuffer(8));
  paidUntil[0] = toMicroseconds(clock.now());
  return joinRateLimiter({ bytesPerSecond, paidUntil }, clock);
}

/** The limiter that another thread made. */
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
