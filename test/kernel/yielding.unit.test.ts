import { expect, test, vi } from 'vitest';
import { forEachYielding } from '../../src/core/kernel/flow/yielding.ts';

test.each([
  { items: 6_400, msPerItem: 1, atMost: 32 },
  { items: 6_400, msPerItem: 0.1, atMost: 96 },
  { items: 6_400, msPerItem: 0.01, atMost: 832 },
])(
  'at most $atMost of $items items that take $msPerItem ms each are handled in one turn of the event loop',
  async ({ items, msPerItem, atMost }) => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const turns: number[] = [];
    let inTurn = 0;
    let isOver = false;
    const nextTurn = (): void => {
      turns.push(inTurn);
      inTurn = 0;
      if (!isOver) setImmediate(nextTurn);
    };
    setImmediate(nextTurn);
    await forEachYielding(Array.from({ length: items }), () => {
      inTurn += 1;
      now += msPerItem;
    });
    isOver = true;
    clock.mockRestore();
    turns.push(inTurn);
    expect(Math.max(...turns)).toBeLessThanOrEqual(atMost);
    expect(turns.reduce((sum, count) => sum + count, 0)).toBe(items);
  },
);
