import { type ByteRanges, createByteRanges } from '../../../transfer/arrival/byte-ranges.ts';
import type { After } from './hide-stalls.ts';

/** The bytes that one connection fetches. `at` is its current position. */
export interface Claim {
  at: number;
  /** Exclusive; decreases if another connection takes over the rest. */
  end: number;
  /** Whether the caller writes the bytes itself and decides when to end. */
  readonly isFed: boolean;
}

/** The existing bytes of a file, the claims on the rest, and the waiting readers. */
export interface ByteBoard {
  readonly size: number;
  readonly present: ByteRanges;
  readonly claims: ReadonlySet<Claim>;
  isWhole(): boolean;
  /** The claim on this byte. */
  claimAt(at: number): Claim | undefined;
  /** The first byte that is missing and unclaimed; the size if there is none. */
  firstUnclaimed(): number;
  /**
   * Claims the missing bytes from `at` to `to`, to the next existing byte, or to the next claim. If another claim contains this byte, its
   * rest is taken over.
   */
  claim(at: number, options: { readonly isFed: boolean; readonly to?: number }): Claim;
  /** Releases a claim and wakes its waiting readers. */
  release(claim: Claim): void;
  /** The next bytes of a claim have been written. */
  written(claim: Claim, bytes: number): void;
  /**
   * Waits until a byte exists or something else has changed.
   * @param late resolves with true after this time
   */
  change(at: number, options: { readonly signal: AbortSignal; readonly late?: number | undefined }): Promise<boolean>;
  /** Wakes all waiting readers. */
  wakeAll(): void;
}

/** Starts without bytes and claims. */
export function createByteBoard(size: number, after: After): ByteBoard {
  const present = createByteRanges();
  const claims = new Set<Claim>();
  const waiting = new Set<{ readonly at: number; readonly wake: () => void }>();
  const wake = (start: number, end: number): void => {
    for (const one of waiting) if (one.at >= start && one.at < end) one.wake();
  };
  const wakeAll = (): void => wake(0, Number.POSITIVE_INFINITY);
  const claimAt = (at: number): Claim | undefined => {
    for (const one of claims) if (one.at <= at && at < one.end) return one;
    return undefined;
  };
  return {
    size,
    present,
    claims,
    isWhole: () => present.runEnd(0) >= size,
    claimAt,
    firstUnclaimed: () => {
      for (let at = 0; ; ) {
        const gap = present.runEnd(at);
        const next = claimAt(gap)?.end ?? gap;
        if (next === at) return at;
        at = next;
      }
    },
    claim: (at, { isFed, to = size }) => {
      const before = claimAt(at);
      const behind = [...claims].map((one) => one.at).filter((start) => start > at);
      const end = Math.min(to, before?.end ?? size, present.nextStart(at) ?? size, ...behind);
      if (before !== undefined) before.end = at;
      const made: Claim = { at, end, isFed };
      claims.add(made);
      return made;
    },
    release: (claim) => {
      claims.delete(claim);
      wakeAll();
    },
    written: (claim, bytes) => {
      const start = claim.at;
      claim.at += bytes;
      present.add(start, claim.at);
      wake(start, claim.at);
    },
    change: (at, { signal, late }) =>
      new Promise((resolve, reject) => {
        const stop = late === undefined ? undefined : after(() => end(() => resolve(true)), late);
        const end = (settle: () => void): void => {
          waiting.delete(one);
          signal.removeEventListener('abort', leave);
          stop?.();
          settle();
        };
        const leave = (): void => end(() => reject(signal.reason));
        const one = { at, wake: () => end(() => resolve(false)) };
        waiting.add(one);
        if (signal.aborted) leave();
        else signal.addEventListener('abort', leave, { once: true });
      }),
    wakeAll,
  };
}
