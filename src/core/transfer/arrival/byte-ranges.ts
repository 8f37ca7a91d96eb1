/** The bytes of a file that are here, as ranges that do not touch. Starts empty. */
export interface ByteRanges {
  /** @param end exclusive */
  add(start: number, end: number): void;
  /** The end of the range that contains this byte; the byte itself if it is not here. */
  runEnd(at: number): number;
  /** The start of the first range after this byte; undefined if there is none. */
  nextStart(at: number): number | undefined;
  /** The number of bytes that are here. */
  bytes(): number;
}

/** A file that arrives in order has one range, plus one for each position where a reader reads ahead. A list is fast enough. */
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
