import { expect, test } from 'vitest';
import { stallMsOf } from '../../src/core/kernel/env-seconds.ts';

const stall = (value: string) => stallMsOf({ env: { SKULK_STALL_TIMEOUT: value } });

test('a silent connection is closed after the time in SKULK_STALL_TIMEOUT', () => {
  expect(stallMsOf({ env: {} })).toBe(undefined);
  expect([stall(''), stall(' 45 '), stall('0.5'), stall('86400')]).toEqual([undefined, 45_000, 500, 86_400_000]);
});

test.each(['abc', '30s', '0', '-1', '1e9', '86401', '1,5', 'NaN', 'Infinity'])('SKULK_STALL_TIMEOUT=%s is refused', (value) => {
  expect(() => stall(value)).toThrow(
    expect.objectContaining({
      code: 'CONFIG',
      message: `SKULK_STALL_TIMEOUT is "${value}"; it must be a number of seconds`,
      hint: expect.stringContaining('e.g. 30'),
    }),
  );
});
