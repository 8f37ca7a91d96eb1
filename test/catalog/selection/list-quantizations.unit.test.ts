import { expect, test } from 'vitest';
import { listQuantizations } from '../../../src/core/catalog/selection/list-quantizations.ts';
import { selectFiles } from '../../../src/core/catalog/selection/select-files.ts';

const list = (sizes: Readonly<Record<string, number>>, pin?: string, limit = 100) => {
  const files = Object.entries(sizes).map(([path, size]) => ({ path, size }));
  const request = { modelId: 'org/foo-GGUF', pin };
  return listQuantizations(files, { selection: selectFiles(files, request), request, limit });
};
const shown = (sizes: Readonly<Record<string, number>>, pin?: string) =>
  list(sizes, pin).map(({ label, size_bytes, is_preferred }) => [label, size_bytes, is_preferred]);

test('each quantization is listed with all of its files, smallest first, and one is preferred', () => {
  const sizes = {
    'Foo-Q8_0.gguf': 80,
    'Foo-Q4_K_M.gguf': 40,
    'Foo-UD-Q4_K_XL.gguf': 45,
    'Foo-IQ3_XXS.gguf': 30,
    'Foo-IQ3_M.gguf': 33,
    'BF16/Foo-BF16-00002-of-00002.gguf': 100,
    'BF16/Foo-BF16-00001-of-00002.gguf': 101,
    'Foo-Q6_K-00001-of-00002.gguf': 60,
    'mmproj-F16.gguf': 5,
    'mmproj-F32.gguf': 10,
    'imatrix.gguf': 3,
    'config.json': 1,
    'README.md': 9,
    'video.mp4': 20 * 2 ** 20,
    'Foo-Q2_K.gguf.part': 7,
  };
  expect(shown(sizes)).toEqual([
    ['IQ3_XXS', 45, false],
    ['IQ3_M', 48, false],
    ['Q4_K_M', 55, true],
    ['UD-Q4_K_XL', 60, false],
    ['Q8_0', 95, false],
    ['BF16', 216, false],
  ]);
  expect(list(sizes).at(-1)).toMatchObject({
    gguf_file: 'BF16/Foo-BF16-00001-of-00002.gguf',
    files: ['BF16/Foo-BF16-00001-of-00002.gguf', 'BF16/Foo-BF16-00002-of-00002.gguf', 'mmproj-F16.gguf', 'config.json', 'README.md'],
  });
  expect(shown(sizes, 'Foo-Q8_0.gguf').find(([, , isPreferred]) => isPreferred)).toEqual(['Q8_0', 95, true]);
});

test('quantizations with the same label, or without one, get different names', () => {
  expect(shown({ 'model.gguf': 1 })).toEqual([['model.gguf', 1, true]]);
  expect(shown({ 'a/x-Q4_0.gguf': 2, 'b/x-Q4_0.gguf': 1 })).toEqual([
    ['b/x-Q4_0.gguf', 1, false],
    ['a/x-Q4_0.gguf', 2, true],
  ]);
  expect(shown({ 'w.safetensors': 1, 'config.json': 1 })).toEqual([]);
});

test('a repo with very many quantizations lists the best ones', () => {
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, number) => [`m-${number}.gguf`, 1]));
  expect(list({ ...many, 'm-Q4_K_M.gguf': 9 }, undefined, 3).map(({ label }) => label)).toContain('Q4_K_M');
});
