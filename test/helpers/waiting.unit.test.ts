import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { patienceMs, within } from './waiting.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('waiting ends with the last state when the state does not change any more', async () => {
  const waited = within('the end', new Promise(() => {}), () => 'half of it');
  const failed = expect(waited).rejects.toThrow('the end was waited for during 120 s\nhalf of it');
  await vi.advanceTimersByTimeAsync(patienceMs);
  await failed;
});

test('waiting continues as long as the state changes', async () => {
  let said = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const waited = within('the end', promise, () => said);
  for (let round = 0; round < 5; round += 1) {
    said += 1;
    await vi.advanceTimersByTimeAsync(patienceMs);
  }
  resolve('ended');
  expect(await waited).toBe('ended');
});
