import { silentAfterMs } from '../kernel/flow/time-left.ts';

const windowMs = 10_000;

/** Bytes a second over the last ten seconds. */
export interface TransferRate {
  add(bytesDone: number, nowMs: number): void;
  /** Null until bytes have come, and while nothing comes. */
  perSecond(nowMs: number): number | null;
}

/** Starts without a moment. */
export function createTransferRate(): TransferRate {
  let moments: { readonly at: number; readonly bytes: number }[] = [];
  return {
    add: (bytes, at) => {
      const last = moments.at(-1);
      // What is only reported again says nothing of how fast bytes come.
      if (last !== undefined && (bytes <= last.bytes || at - last.at < 200)) return;
      moments = [...moments.filter((one) => at - one.at <= windowMs), { at, bytes }];
    },
    perSecond: (now) => {
      const [first] = moments;
      const last = moments.at(-1);
      if (first === undefined || last === undefined || last === first || now - last.at > silentAfterMs) return null;
      return Math.round(((last.bytes - first.bytes) / (Math.max(now, last.at) - first.at)) * 1000);
    },
  };
}
