/** The rate is the mean over this time, in milliseconds. */
const windowMs = 5_000;

/** No rate is shown for the first moments of a transfer, in milliseconds: connections are made, and existing data is counted. */
const firstRateMs = 1_000;

/** The time left is reliable after bytes arrived for this long, in milliseconds. */
const steadyAfterMs = 5_000;

/** After this long without a byte, the earlier rate no longer means anything, in milliseconds. */
const silentAfterMs = 10_000;

/** A longer time left is too uncertain to show. */
const maxSeconds = 24 * 3600;

/** Measures how fast bytes arrive, and estimates the time left. Times are milliseconds of a monotonic clock. */
export interface TransferRate {
  /** Records the number of bytes that are here now. */
  add(bytesDone: number, nowMs: number): void;
  /** The mean over the last five seconds; null in the first second, and while no bytes arrive. */
  perSecond(nowMs: number): number | null;
  /** The estimated time left in seconds; null in the first five seconds, without a rate, and for a day or more. */
  secondsLeft(bytesLeft: number, nowMs: number): number | null;
}

/** Creates a rate without any measurement. */
export function createTransferRate(): TransferRate {
  let moments: { readonly at: number; readonly bytes: number }[] = [];
  let beganAt = 0;
  const perSecond = (now: number): number | null => {
    const [first] = moments;
    const last = moments.at(-1);
    if (first === undefined || last === undefined || last === first) return null;
    if (now - beganAt < firstRateMs || now - last.at > silentAfterMs) return null;
    return Math.round(((last.bytes - first.bytes) / (Math.max(now, last.at) - first.at)) * 1000);
  };
  return {
    add: (bytes, at) => {
      const last = moments.at(-1);
      // A repeated report does not show how fast bytes arrive.
      if (last !== undefined && (bytes <= last.bytes || at - last.at < 200)) return;
      if (last === undefined || at - last.at > silentAfterMs) {
        [moments, beganAt] = [[{ at, bytes }], at];
        return;
      }
      const recent = moments.filter((one) => at - one.at <= windowMs);
      moments = [...(recent.length === 0 ? [last] : recent), { at, bytes }];
    },
    perSecond,
    secondsLeft: (bytesLeft, now) => {
      const rate = perSecond(now);
      if (rate === null || rate === 0 || now - beganAt < steadyAfterMs) return null;
      const seconds = Math.ceil(Math.max(0, bytesLeft) / rate);
      return seconds < maxSeconds ? seconds : null;
    },
  };
}
