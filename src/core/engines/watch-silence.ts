/** When something is to happen; the times of this machine, or those of a test. */
export interface Clock {
  /** In milliseconds; never goes back. */
  readonly now: () => number;
  /** Calls back again and again; the returned function ends that. */
  readonly every: (ms: number, look: () => void) => () => void;
}

/** The clock of this machine. It keeps no process alive. */
export const machineClock: Clock = {
  now: () => performance.now(),
  every: (ms, look) => {
    const timer = setInterval(look, ms).unref();
    return () => clearInterval(timer);
  },
};

/** An engine that prints nothing and writes nothing for so long is named as silent, in milliseconds. */
const silentMs = 10 * 60_000;
const lookEveryMs = 60_000;

/** Knows since when an engine does nothing that can be seen. */
export interface SilenceWatch extends Disposable {
  /** It has printed something. */
  heard(): void;
}

/**
 * Watches an engine that runs. It is never ended for silence: a large layer may take long.
 * @param sizeOf what its work takes on the disk, in bytes
 * @param tell called once for each silence of ten minutes, with its length in minutes
 */
export function watchSilence(
  clock: Clock,
  { sizeOf, tell }: { readonly sizeOf: () => Promise<number>; readonly tell: (minutes: number) => void },
): SilenceWatch {
  let since = clock.now();
  let size = -1;
  let isTold = false;
  let isLooking = false;
  const heard = (): void => {
    since = clock.now();
    isTold = false;
  };
  const look = async (): Promise<void> => {
    // What cannot be measured has not grown.
    const now = await sizeOf().catch(() => size);
    if (now !== size) {
      size = now;
      heard();
    }
    const silence = clock.now() - since;
    if (silence < silentMs || isTold) return;
    isTold = true;
    tell(Math.floor(silence / 60_000));
  };
  const stop = clock.every(lookEveryMs, () => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  });
  return { heard, [Symbol.dispose]: stop };
}
