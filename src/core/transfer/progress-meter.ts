/** Adds up what is here and what is on its way; what it reports never falls and never passes the total. All in bytes. */
export interface ProgressMeter {
  /** So many are here and count; negative when they turned out not to. */
  here(bytes: number): void;
  /** So many have come of a piece that is not whole yet. */
  arriving(bytes: number): void;
  /** A piece of so many is whole: what was arriving is here. */
  landed(bytes: number): void;
  /** So many of what was arriving do not count. */
  discarded(bytes: number): void;
}

/** Told how many bytes are here, of how many, and how many of them had not to come. */
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
