import { describeFailure } from '../explain-system-error.ts';
import type { Emit } from './events.ts';

const hourMs = 3600_000;

/**
 * Removes what has become old, now and every hour. One sweep runs at a time, and a failure is a warning.
 * @param what the old things, for the warning: `unfinished uploads`
 * @returns a handle that stops it and waits for a running sweep
 */
export function sweepHourly(sweep: () => Promise<void>, { what, emit }: { readonly what: string; readonly emit: Emit }): AsyncDisposable {
  let running: Promise<void> | undefined;
  const start = (): void => {
    running ??= sweep()
      .catch((error: unknown) => emit({ type: 'warning', message: describeFailure(`cannot remove ${what}`, error) }))
      .finally(() => {
        running = undefined;
      });
  };
  start();
  const timer = setInterval(start, hourMs);
  timer.unref();
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
