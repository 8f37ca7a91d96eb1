import { type ByteRanges, createByteRanges } from '../../../transfer/arrival/byte-ranges.ts';
import type { After } from './hide-stalls.ts';

/** Bytes that somebody brings: those from `at` on, which is where he has got to. */
export interface Claim {
  at: number;
  /** Exclusive; nearer when somebody else takes the rest over. */
  end: number;
  /** Whether whoever brings them writes them himself, and ends when he wants. */
  readonly isFed: boolean;
}

/** What is here of a file, who brings the rest, and who waits for it. */
export interface ByteBoard {
  readonly size: number;
  readonly present: ByteRanges;
  readonly claims: ReadonlySet<Claim>;
  isWhole(): boolean;
  /** Who brings this byte. */
  claimAt(at: number): Claim | undefined;
  /** The first byte that is not here and that nobody brings; the size when there is none. */
  firstUnclaimed(): number;
  /**
   * Takes the missing bytes from `at` on, up to `to`, to what is here, or to what somebody else brings; the rest of a claim that has this
   * byte is taken over.
   */
  claim(at: number, options: { readonly isFed: boolean; readonly to?: number }): Claim;
  /** Gives a claim up; whoever waited for it looks again. */
  release(claim: Claim): void;
  /** The next bytes of a claim are in their place. */
  written(claim: Claim, bytes: number): void;
  /**
   * Waits until a byte is here or something else has changed.
   * @param late resolve with true after so long
   */
  change(at: number, options: { readonly signal: AbortSignal; readonly late?: number | undefined }): Promise<boolean>;
  /** All who wait look again. */
  wakeAll(): void;
}

/** Nothing is here, and nobody brings anything. */
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
