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

/** Called with the bytes that are here, the total, and the bytes that were here before the transfer. */
export type OnMeter = (done: number, total: number, atHand: number) => void;

/** Reports once at the start. */
export function createProgressMeter(total: number, onBytes: OnMeter): ProgressMeter {
  let [here, arriving, reported, atHand] = [0, 0, 0, 0];
  const report = (): void => {
    reported = Math.max(reported, Math.min(total, here + arriving));
    onBytes(reported, total, atHand);
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
