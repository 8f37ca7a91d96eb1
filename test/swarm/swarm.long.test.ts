import { expect, test } from 'vitest';
import { wants } from '../helpers/wants.ts';
import { shareModel } from './swarm-faults.ts';

test.each(['none', 'two killed', 'a liar'] as const)(
  'six nodes, %s: the store sends less than half of what six nodes take from it alone',
  wants('aria2'),
  async (fault) => {
    // About 1.7 where the machine is fast enough; the exact number depends on the speed of each node.
    expect((await shareModel(fault, { nodes: 6, factor: 4 })).copies).toBeLessThan(3);
  },
);
