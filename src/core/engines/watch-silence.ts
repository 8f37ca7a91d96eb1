/** The clock of this machine, or that of a test. */
export interface Clock {
  /** In milliseconds; monotonic. */
  readonly now: () => number;
  /** Calls back at intervals; the returned function stops it. */
  readonly every: (ms: number, check: () => void) => () => void;
}

/** The clock of this machine. It does not keep the process alive. */
export const machineClock: Clock = {
  now: () => performance.now(),
  every: (ms, check) => {
    const timer = setInterval(check, ms).unref();
    return () => clearInterval(timer);
  },
};

/** An engine without output or growing files for this long is reported as silent, in milliseconds. */
const silentMs = 10 * 60_000;
const pollEveryMs = 60_000;

/** Measures how long an engine shows no activity. */
export interface SilenceWatch extends Disposable {
  /** It has printed something. */
  noteActivity(): void;
}

/**
 * Watches a running engine. It is never ended for silence, because a large layer may take long.
 * @param sizeOf the disk space of its work, in bytes
 * @param onSilence called once for each silence of ten minutes, with its length in minutes
 */
export function watchSilence(
  clock: Clock,
  { sizeOf, onSilence }: { readonly sizeOf: () => Promise<number>; readonly onSilence: (minutes: number) => void },
): SilenceWatch {
  let since = clock.now();
  let size = -1;
  let isReported = false;
  let isLooking = false;
  const noteActivity = (): void => {
    since = clock.now();
    isReported = false;
  };
  const check = async (): Promise<void> => {
    // If the size is unknown, it counts as unchanged.
    const now = await sizeOf().catch(() => size);
    if (now !== size) {
      size = now;
      noteActivity();
    }
    const silence = clock.now() - since;
    if (silence < silentMs || isReported) return;
    isReported = true;
    onSilence(Math.floor(silence / 60_000));
  };
  const stop = clock.every(pollEveryMs, () => {
    if (isLooking) return;
    isLooking = true;
    void check().finally(() => {
      isLooking = false;
    });
  });
  return { noteActivity, [Symbol.dispose]: stop };
}
