/** Which bytes of a file are here, as runs that do not touch. Starts empty. */
export interface ByteRanges {
  /** @param end exclusive */
  add(start: number, end: number): void;
  /** The end of the run that has this byte; the byte itself when it is not here. */
  runEnd(at: number): number;
  /** Where the first run behind this byte begins; undefined when there is none. */
  nextStart(at: number): number | undefined;
  /** How many are here. */
  bytes(): number;
}

/** A file that comes in order has one run, and one more for each place at which somebody reads ahead; so a list will do. */
export function createByteRanges(): ByteRanges {
  /** In order. */
  let runs: { readonly start: number; readonly end: number }[] = [];
  const runAt = (at: number) => runs.find(({ start, end }) => start <= at && at < end);
  return {
    add: (start, end) => {
      if (end <= start) return;
      const apart = runs.filter((run) => run.end < start || run.start > end);
      const joined = runs.filter((run) => run.end >= start && run.start <= end);
      const all = { start: Math.min(start, ...joined.map((run) => run.start)), end: Math.max(end, ...joined.map((run) => run.end)) };
      runs = [...apart, all].toSorted((a, b) => a.start - b.start);
    },
    runEnd: (at) => runAt(at)?.end ?? at,
    nextStart: (at) => runs.find(({ start }) => start > at)?.start,
    bytes: () => runs.reduce((sum, { start, end }) => sum + end - start, 0),
  };
}
