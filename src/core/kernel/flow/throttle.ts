/** A function that runs its work at once, and then at most once per interval. The last run always follows the last call. */
export interface Throttled extends Disposable {
  (): void;
}

/** @param restMs the minimum time between two runs, in milliseconds */
export function throttle(restMs: number, work: () => void): Throttled {
  let timer: NodeJS.Timeout | undefined;
  let isWanted = false;
  const run = (): void => {
    isWanted = false;
    work();
    timer = setTimeout(() => {
      timer = undefined;
      if (isWanted) run();
    }, restMs);
  };
  const call = (): void => {
    isWanted = true;
    if (timer === undefined) run();
  };
  return Object.assign(call, { [Symbol.dispose]: () => clearTimeout(timer) });
}
