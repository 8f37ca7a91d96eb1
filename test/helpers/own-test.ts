import { AsyncLocalStorage } from 'node:async_hooks';
import { aroundEach, type RunnerTestCase } from 'vitest';

const own = new AsyncLocalStorage<Readonly<RunnerTestCase>>();

/** Connects all resources of a test with that test. */
export const knowOwnTest = (): void => aroundEach((runTest, { task }) => own.run(task, runTest));

/** A test that timed out continues in the background; resources that it starts then would never end. */
export function refuseWhenOver(what: string): void {
  const task = own.getStore();
  if (task?.result !== undefined && task.result.state !== 'run')
    throw new Error(`${what} is not to be had: the test "${task.name}" is over`);
}
