/** Adds up the complete and the arriving bytes. The reported number never decreases and never exceeds the total. All in bytes. */
export interface ProgressMeter {
  /** Counts bytes as here; a negative number takes them back. */
  here(bytes: number): void;
  /** Counts bytes of an unfinished piece. */
  arriving(bytes: number): void;
  /** A piece is complete: its arriving bytes are here. */
  landed(bytes: number): void;
  /** Some of the arriving bytes do not count. */
  discarded(bytes: number): void;
}

/**
 * Called with the bytes that are here, the total, the bytes that were here before the transfer, and how many of the reported bytes were
 * discarded and are not here again.
 */
export type OnMeter = (done: number, total: number, atHand: number, lost: number) => void;

/** Reports once at the start. */
export function createProgressMeter(total: number, onBytes: OnMeter): ProgressMeter {
  let [here, arriving, reported, atHand] = [0, 0, 0, 0];
  const report = (): void => {
    const now = Math.min(total, here + arriving);
    reported = Math.max(reported, now);
    onBytes(reported, total, atHand, reported - now);
  };
  report();
  return {
    here: (bytes) => {
      here += bytes;
      atHand += bytes;
      report();
    },
    arriving: (bytes) => {
      arriving += bytes;
      report();
    },
    landed: (bytes) => {
      here += bytes;
      arriving -= bytes;
      report();
    },
    discarded: (bytes) => {
      arriving -= bytes;
    },
  };
}
