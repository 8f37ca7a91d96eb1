/** A rate is the mean over so long, in milliseconds. */
const windowMs = 5_000;

/** The first moments of a transfer, in which connections are made and what is here is counted, have no rate yet; in milliseconds. */
const firstRateMs = 1_000;

/** A rate says something of the time left once bytes have come for so long, in milliseconds. */
const steadyAfterMs = 5_000;

/** Nothing came for so long: what came before says nothing any more, in milliseconds. */
const silentAfterMs = 10_000;

/** What takes longer is left to chance: its time is not shown. */
const maxSeconds = 24 * 3600;

/** How fast bytes come, and when the rest of them is here. Times are milliseconds of a clock that never goes back. */
export interface TransferRate {
  /** So many bytes are here now. */
  add(bytesDone: number, nowMs: number): void;
  /** The mean over the last five seconds; null in the first second, and while nothing comes. */
  perSecond(nowMs: number): number | null;
  /** In how many seconds the rest is here; null before bytes came for five seconds, without a rate, and from a day on. */
  secondsLeft(bytesLeft: number, nowMs: number): number | null;
}

/** Starts without a moment. */
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
      // What is only reported again says nothing of how fast bytes come.
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
