import { expect, test } from 'vitest';
import type { RelativePath } from '../../src/core/kernel/files/relative-path.ts';
import type { Sha256 } from '../../src/core/kernel/sha256.ts';
import { arrivedBlocks, placeOf } from '../../src/core/transfer/arrived-blocks.ts';

const mib = 1024 * 1024;
const digest = (index: number): Sha256 => String(index).padStart(64, '0') as Sha256;
const file = (path: string, size: number) => ({ path: path as RelativePath, size, id: { kind: 'sha256' as const, value: digest(0) } });

test('the arrived blocks of a file are found in order, however large it is announced', () => {
  const small = file('m.gguf', 3 * mib + 5);
  const huge = file('huge.gguf', 2 ** 50);
  const arrived = new Map([
    [placeOf(huge, 7 * mib), digest(4)],
    [placeOf(huge, mib), digest(3)],
    [placeOf(small, 3 * mib), digest(2)],
    [placeOf(small, 0), digest(1)],
    // Beyond its end, and between two blocks.
    [placeOf(huge, 2 ** 50), digest(5)],
    [placeOf(huge, 17), digest(6)],
  ]);
  expect(arrivedBlocks(huge, arrived)).toEqual([
    { start: mib, end: 2 * mib, sha256: digest(3) },
    { start: 7 * mib, end: 8 * mib, sha256: digest(4) },
  ]);
  expect(arrivedBlocks(small, arrived)).toEqual([
    { start: 0, end: mib, sha256: digest(1) },
    { start: 3 * mib, end: 3 * mib + 5, sha256: digest(2) },
  ]);
  expect(arrivedBlocks(huge, new Map())).toEqual([]);
});
