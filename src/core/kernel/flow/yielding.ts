import { setImmediate as yieldToOthers } from 'node:timers/promises';

/** So long the event loop is kept for one turn, in milliseconds. */
const turnMs = 8;
/** The clock is looked at after so many items. */
const perLook = 32;

/** For a loop: to be awaited after each item, it lets whatever else waits for the event loop have its turn when it is time. */
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

/** Runs a short piece of work for each of many items, in turns: a model of 50,000 files keeps nobody waiting. */
export async function forEachYielding<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  const yieldIfDue = createYielder();
  for (const item of items) {
    work(item);
    const pause = yieldIfDue();
    if (pause !== undefined) await pause;
  }
}

/** The same for work that gives something. */
export async function mapYielding<T, R>(items: Iterable<T>, work: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  await forEachYielding(items, (item) => results.push(work(item)));
  return results;
}
