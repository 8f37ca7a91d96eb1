import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gibOf } from '../../src/core/config/describe.ts';

test('a budget is shown as it was written', () => {
  for (const gib of [0, 0.001, 0.1, 1.5, 40, 123.456, 4096]) expect(gibOf(Math.floor(gib * 1024 ** 3))).toBe(gib);
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (bytes) => Math.floor(gibOf(bytes) * 1024 ** 3) === bytes));
});
