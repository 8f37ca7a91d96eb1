import { setImmediate as yieldToOthers } from 'node:timers/promises';

/** The longest time that one turn blocks the event loop, in milliseconds. */
const turnMs = 8;
/** The clock is read once for this many items. */
const perLook = 32;

/** Creates a function to await after each item of a loop. When a turn has used its time, it lets other work use the event loop. */
export function createYielder(): () => Promise<void> | undefined {
  let began = performance.now();
  let sinceLook = 0;
  return () => {
    sinceLook += 1;
    if (sinceLook < perLook) return undefined;
    sinceLook = 0;
    if (performance.now() - began < turnMs) return undefined;
    return yieldToOthers().then(() => {
      began = performance.now();
    });
  };
}

/** Runs a short piece of work for each of many items, in turns, so that a model with 50,000 files does not block the event loop. */
export async function forEachYielding<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  const yieldIfDue = createYielder();
  for (const item of items) {
    work(item);
    const pause = yieldIfDue();
    if (pause !== undefined) await pause;
  }
}

/** Like `forEachYielding`, for work with a result. */
export async function mapYielding<T, R>(items: Iterable<T>, work: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  await forEachYielding(items, (item) => results.push(work(item)));
  return results;
}
