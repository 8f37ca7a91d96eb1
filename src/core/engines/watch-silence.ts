/** The clock of this machine, or that of a test. */
export interface Clock {
  /** In milliseconds; monotonic. */
  readonly now: () => number;
  /** Calls back at intervals; the returned function stops it. */
  readonly every: (ms: number, look: () => void) => () => void;
}

/** The clock of this machine. It does not keep the process alive. */
export const machineClock: Clock = {
  now: () => performance.now(),
  every: (ms, look) => {
    const timer = setInterval(look, ms).unref();
    return () => clearInterval(timer);
  },
};

/** An engine without output or growing files for this long is reported as silent, in milliseconds. */
const silentMs = 10 * 60_000;
const pollEveryMs = 60_000;

/** Measures how long an engine shows no activity. */
export interface SilenceWatch extends Disposable {
  /** It has printed something. */
  heard(): void;
}

/**
 * Watches a running engine. It is never ended for silence, because a large layer may take long.
 * @param sizeOf the disk space of its work, in bytes
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
    // If the size is unknown, it counts as unchanged.
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
  const stop = clock.every(pollEveryMs, () => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  });
  return { heard, [Symbol.dispose]: stop };
}
