import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { backoffDelay, patient, pause, retrying } from '../../src/core/kernel/flow/backoff.ts';
import { coalesce } from '../../src/core/kernel/flow/coalesce.ts';
import { startDeadline } from '../../src/core/kernel/flow/deadline.ts';
import { throttle } from '../../src/core/kernel/flow/throttle.ts';
import { testSeed } from '../helpers/seeded.ts';

const policy = { attempts: 4, firstDelayMs: 1, maxDelayMs: 4, maxRetryAfterMs: 2 };
const never = new AbortController().signal;

afterEach(() => void vi.useRealTimers());

describe('retries with a growing delay', () => {
  test('wait twice as long each time, up to a limit, and at least half of it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, drawn) => {
        const most = Math.min(patient.maxDelayMs, patient.firstDelayMs * 2 ** (attempt - 1));
        const delay = backoffDelay(patient, attempt, () => drawn);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(most / 2));
        expect(delay).toBeLessThanOrEqual(Math.ceil(most));
      }),
      { seed: testSeed },
    );
  });

  test('end with the last error after enough attempts, and at once for a permanent error', async () => {
    let tries = 0;
    const work = async (): Promise<never> => {
      tries += 1;
      throw new SkulkError('STORE_UNREACHABLE', `no ${tries}`, { retryAfterMs: 60_000 });
    };
    await expect(retrying(work, { policy, signal: never, isTransient: () => true })).rejects.toThrow('no 4');
    await expect(retrying(work, { policy, signal: never, isTransient: () => false })).rejects.toThrow('no 5');
    expect(await retrying(async (attempt) => attempt, { policy, signal: never, isTransient: () => true })).toBe(1);
  });

  test('end with the reason of the abort signal', async () => {
    const stop = new AbortController();
    const work = async (): Promise<never> => {
      stop.abort(new SkulkError('INTERRUPTED', 'stopped'));
      throw new Error('failed');
    };
    await expect(retrying(work, { policy, signal: stop.signal, isTransient: () => true })).rejects.toThrow('stopped');
    await expect(pause(1e9, stop.signal)).rejects.toThrow('stopped');
  });
});

test('a throttled call runs at once, then after each pause, and once more for the last request', () => {
  vi.useFakeTimers();
  let done = 0;
  const call = throttle(100, () => {
    done += 1;
  });
  for (let wish = 0; wish < 50; wish += 1) call();
  expect(done).toBe(1);
  vi.advanceTimersByTime(99);
  expect(done).toBe(1);
  vi.advanceTimersByTime(1);
  expect(done).toBe(2);
  vi.advanceTimersByTime(1000);
  expect(done).toBe(2);
  call();
  call();
  expect(done).toBe(3);
  call[Symbol.dispose]();
  vi.advanceTimersByTime(1000);
  expect(done).toBe(3);
});

test('callers that ask while coalesced work runs share the next run, and a failure does not affect later callers', async () => {
  let begun = 0;
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ask = coalesce(async () => {
    begun += 1;
    const run = begun;
    await gates[run - 1]?.promise;
    if (run === 1) throw new Error('the first fails');
    return run;
  });
  const first = ask();
  const later = [ask(), ask(), ask()];
  expect(begun).toBe(1);
  gates[0]?.resolve();
  await expect(first).rejects.toThrow('the first fails');
  gates[1]?.resolve();
  expect(await Promise.all(later)).toEqual([2, 2, 2]);
  expect(await ask()).toBe(3);
});

test('a cancelled deadline has no effect', () => {
  vi.useFakeTimers();
  const act = vi.fn();
  const callOff = startDeadline(act, 100);
  vi.advanceTimersByTime(99);
  callOff();
  vi.runAllTimers();
  expect(act).not.toHaveBeenCalled();
  startDeadline(act, 100);
  vi.runAllTimers();
  expect(act).toHaveBeenCalledOnce();
});
