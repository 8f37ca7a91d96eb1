import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planBudget } from '../../src/core/staging/plan-budget.ts';

const copy = (reference: string, sizeBytes: number, minute: number) => ({ reference, sizeBytes, lastUsed: new Date(minute * 60_000) });
const ids = (copies: readonly { reference: string }[]): string => copies.map(({ reference }) => reference).join(' ');

describe('the plan of the budget', () => {
  test.each<[string, number, readonly [string, number, number][], readonly string[], string, string]>([
    [
      'keeps everything that fits',
      10,
      [
        ['a', 4, 1],
        ['b', 6, 2],
      ],
      [],
      'b a',
      '',
    ],
    [
      'keeps the newest',
      6,
      [
        ['a', 4, 1],
        ['b', 6, 2],
      ],
      [],
      'b',
      'a',
    ],
    [
      'lets smaller older ones stay that fit',
      5,
      [
        ['new', 3, 9],
        ['big', 4, 8],
        ['old', 2, 1],
      ],
      [],
      'new old',
      'big',
    ],
    [
      'does not let one that is too large take the rest with it',
      5,
      [
        ['huge', 50, 9],
        ['a', 5, 1],
      ],
      [],
      'a',
      'huge',
    ],
    [
      'keeps only what is in use at 0',
      0,
      [
        ['a', 1, 1],
        ['b', 1, 2],
      ],
      ['a'],
      '',
      'b',
    ],
    [
      'does not count what is in use',
      4,
      [
        ['used', 100, 1],
        ['b', 4, 2],
      ],
      ['used'],
      'b',
      '',
    ],
    [
      'knows fractions of a byte',
      1.5,
      [
        ['a', 1, 1],
        ['b', 1, 2],
      ],
      [],
      'b',
      'a',
    ],
    [
      'decides by name between equal dates',
      1,
      [
        ['b', 1, 1],
        ['a', 1, 1],
      ],
      [],
      'a',
      'b',
    ],
    ['has nothing to do with nothing', 4, [], [], '', ''],
  ])('%s', (_, budgetBytes, copies, inUse, keep, evict) => {
    const plan = planBudget(
      copies.map((each) => copy(...each)),
      { inUse: new Set(inUse), budgetBytes },
    );
    expect([ids(plan.keep), ids(plan.evict)]).toEqual([keep, evict]);
  });

  const copies = fc.uniqueArray(
    fc.record({
      reference: fc.string({ minLength: 1, maxLength: 4 }),
      sizeBytes: fc.nat(1000),
      lastUsed: fc.nat(20).map((minute) => new Date(minute)),
      isUsed: fc.boolean(),
    }),
    { selector: ({ reference }) => reference, maxLength: 30 },
  );
  const inUseOf = (all: readonly { reference: string; isUsed: boolean }[]): Set<string> =>
    new Set(all.filter(({ isUsed }) => isUsed).map(({ reference }) => reference));

  test('never evicts a copy in use, never keeps more idle bytes than the budget, and loses no copy', () => {
    fc.assert(
      fc.property(copies, fc.nat(5000), (all, budgetBytes) => {
        const inUse = inUseOf(all);
        const { keep, evict, inUse: used } = planBudget(all, { inUse, budgetBytes });
        expect(evict.filter(({ reference }) => inUse.has(reference))).toEqual([]);
        expect(keep.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThanOrEqual(budgetBytes);
        expect([...keep, ...evict, ...used].map(({ reference }) => reference).sort()).toEqual(all.map(({ reference }) => reference).sort());
      }),
    );
  });

  test('evicts only copies that did not fit at their turn', () => {
    fc.assert(
      fc.property(copies, fc.nat(5000), (all, budgetBytes) => {
        const { keep, evict } = planBudget(all, { inUse: inUseOf(all), budgetBytes });
        for (const gone of evict) {
          const newer = keep.filter(
            ({ lastUsed, reference }) => lastUsed > gone.lastUsed || (+lastUsed === +gone.lastUsed && reference < gone.reference),
          );
          expect(newer.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) + gone.sizeBytes).toBeGreaterThan(budgetBytes);
        }
      }),
    );
  });

  test('does not depend on the order of the list', () => {
    fc.assert(
      fc.property(
        copies.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        fc.nat(5000),
        ([all, shuffled], budgetBytes) => {
          const inUse = inUseOf(all);
          expect(planBudget(shuffled, { inUse, budgetBytes })).toEqual(planBudget(all, { inUse, budgetBytes }));
        },
      ),
    );
  });
});
