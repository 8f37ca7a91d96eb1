import { AsyncLocalStorage } from 'node:async_hooks';
import { aroundEach, type RunnerTestCase } from 'vitest';

const own = new AsyncLocalStorage<Readonly<RunnerTestCase>>();

/** Lets everything that a test calls know whose it is. */
export const knowOwnTest = (): void => aroundEach((runTest, { task }) => own.run(task, runTest));

/** A test that ran out of time goes on in the background; what it would still start nobody would end. */
export function refuseWhenOver(what: string): void {
  const task = own.getStore();
  if (task?.result !== undefined && task.result.state !== 'run')
    throw new Error(`${what} is not to be had: the test "${task.name}" is over`);
}
