import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

type Work = () => unknown;

const ofFile = new AsyncLocalStorage<Work[]>();

/** Runs a clean-up when the running test ends or, for resources of `forWholeFile`, after the last test of the file. */
export function atEnd(work: Work): void {
  const works = ofFile.getStore();
  if (works === undefined) onTestFinished(async () => void (await work()));
  else works.push(work);
}

/** Creates a resource once for all tests of a file that do not change it, such as a server; it ends with the file. */
export function forWholeFile<T>(make: () => Promise<T>): () => T {
  const ends: Work[] = [];
  let made: { readonly thing: T } | undefined;
  beforeAll(async () => {
    made = { thing: await ofFile.run(ends, make) };
  });
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });
  return () => {
    if (made === undefined) throw new Error('what is made for the whole file is there within tests only');
    return made.thing;
  };
}
