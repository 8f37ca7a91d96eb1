/** A rate over which nothing came for so long says nothing any more, in milliseconds. */
export const silentAfterMs = 10_000;

/** Nobody waits for longer; a rate that says so is that of a connection that brings next to nothing. */
const maxSeconds = 1000 * 3600;

/** In how many seconds the rest of some bytes is here; undefined where the rate does not say it. Pure. */
export function secondsLeft(bytesLeft: number, bytesPerSecond: number): number | undefined {
  const seconds = Math.ceil(Math.max(0, bytesLeft) / bytesPerSecond);
  return seconds <= maxSeconds ? seconds : undefined;
}
