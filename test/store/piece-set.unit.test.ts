import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPieceSet } from '../../src/core/store/uploads/piece-set.ts';
import { testSeed } from '../helpers/seeded.ts';

test('a set of pieces contains each added number, and counts it once', () => {
  const size = 100;
  fc.assert(
    fc.property(fc.array(fc.nat({ max: size - 1 }), { maxLength: 300 }), (numbers) => {
      const set = createPieceSet(size);
      for (const number of numbers) set.add(number);
      const added = new Set(numbers);
      expect(set.count()).toBe(added.size);
      for (let number = 0; number < size; number += 1) expect(set.has(number)).toBe(added.has(number));
    }),
    { seed: testSeed },
  );
});
