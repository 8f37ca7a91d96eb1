/** A call that is made at once, and then again so long after it at the soonest, with what was wanted last. */
export interface Throttled extends Disposable {
  (): void;
}

/** @param restMs how long it rests between two calls, in milliseconds */
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
