import { expect, test } from 'vitest';
import { listQuantizations } from '../../src/core/catalog/list-quantizations.ts';

const sized = (sizes: Readonly<Record<string, number>>) => Object.entries(sizes).map(([path, size]) => ({ path, size }));
const shown = (sizes: Readonly<Record<string, number>>, card?: string) =>
  listQuantizations(sized(sizes), { card }).map(({ label, size_bytes, is_preferred }) => [label, size_bytes, is_preferred]);

test('each quantization is offered with all that is taken with it, smallest first, and one is preferred', () => {
  const sizes = {
    'Foo-Q8_0.gguf': 80,
    'Foo-Q4_K_M.gguf': 40,
    'Foo-UD-Q4_K_XL.gguf': 45,
    'Foo-IQ3_XXS.gguf': 30,
    'Foo-IQ3_M.gguf': 33,
    'BF16/Foo-BF16-00002-of-00002.gguf': 100,
    'BF16/Foo-BF16-00001-of-00002.gguf': 101,
    'mmproj-F16.gguf': 5,
    'config.json': 1,
    'README.md': 9,
    'Foo-Q2_K.gguf.part': 7,
  };
  expect(shown(sizes)).toEqual([
    ['IQ3_XXS', 36, false],
    ['IQ3_M', 39, false],
    ['Q4_K_M', 46, true],
    ['UD-Q4_K_XL', 51, false],
    ['Q8_0', 86, false],
    ['BF16', 207, false],
  ]);
  expect(listQuantizations(sized(sizes), {}).at(-1)).toMatchObject({
    gguf_file: 'BF16/Foo-BF16-00001-of-00002.gguf',
    files: ['BF16/Foo-BF16-00001-of-00002.gguf', 'BF16/Foo-BF16-00002-of-00002.gguf', 'mmproj-F16.gguf', 'config.json'],
  });
  expect(shown(sizes, 'Foo-Q8_0.gguf').find(([, , isPreferred]) => isPreferred)).toEqual(['Q8_0', 86, true]);
});

test('names that say nothing, or the same, are told apart', () => {
  expect(shown({ 'model.gguf': 1 })).toEqual([['model', 1, true]]);
  expect(shown({ 'a/x-Q4_0.gguf': 2, 'b/x-Q4_0.gguf': 1 })).toEqual([
    ['b/x-Q4_0.gguf', 1, false],
    ['a/x-Q4_0.gguf', 2, true],
  ]);
  expect(shown({ 'w.safetensors': 1, 'config.json': 1 })).toEqual([]);
});

test('a repo of very many files takes no long look', () => {
  const secondsFor = (count: number): number => {
    const many = sized(Object.fromEntries(Array.from({ length: count }, (_, number) => [`m-${number}-00001-of-00001.gguf`, 1])));
    const looks = Array.from({ length: 3 }, () => {
      const began = process.cpuUsage();
      expect(listQuantizations(many, {})).toHaveLength(count);
      return process.cpuUsage(began).user;
    });
    return Math.min(...looks);
  };
  // Four times as many take some four times as long, and not sixteen times.
  secondsFor(500);
  expect(secondsFor(4_000) / secondsFor(1_000)).toBeLessThan(10);
});
