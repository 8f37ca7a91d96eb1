import { expect, test } from 'vitest';
import { findLoadable } from '../../../src/core/catalog/selection/loadable-files.ts';

const two = ['m-Q4_K_M-00001-of-00002.gguf', 'm-Q4_K_M-00002-of-00002.gguf'];
const none = { gguf: undefined, mmproj: undefined, draft: undefined, selector: undefined };

test.each([
  ['a model without GGUF', ['config.json', 'model.safetensors'], undefined, none],
  [
    'the best quantization, by its first shard',
    ['m-Q8_0.gguf', ...two.toReversed()],
    undefined,
    { ...none, gguf: two[0], selector: 'Q4_K_M' },
  ],
  ['what the card names', ['m-Q8_0.gguf', ...two], 'm-Q8_0.gguf', { ...none, gguf: 'm-Q8_0.gguf', selector: 'Q8_0' }],
  ['the first shard of what the card names', ['m-Q5_K_M.gguf', ...two], two[1], { ...none, gguf: two[0], selector: 'Q4_K_M' }],
  ['the best where the card names nothing of it', ['m-Q8_0.gguf'], 'gone.gguf', { ...none, gguf: 'm-Q8_0.gguf', selector: 'Q8_0' }],
  [
    'a whole one rather than the better with a hole',
    ['m-Q8_0.gguf', two[0]],
    undefined,
    { ...none, gguf: 'm-Q8_0.gguf', selector: 'Q8_0' },
  ],
  [
    'the projector, F16 before F32, and a draft',
    ['m-Q8_0.gguf', 'mmproj-F32.gguf', 'mmproj-F16.gguf', 'MTP/m-Q8_0.gguf', 'm-imatrix.gguf'],
    undefined,
    { gguf: 'm-Q8_0.gguf', mmproj: 'mmproj-F16.gguf', draft: 'MTP/m-Q8_0.gguf', selector: 'Q8_0' },
  ],
  ['no pieces, which cannot be loaded', ['m-Q8_0.gguf.part1of2', 'm-Q8_0.gguf.part2of2'], undefined, none],
])('the loadable files are found: %s', (_, paths, pin, found) => {
  expect(
    findLoadable(
      (paths as string[]).map((path) => ({ path })),
      pin,
    ),
  ).toEqual(found);
});

test('the content of a file overrides a name that looks like weights', () => {
  const files = [
    { path: 'm-BF16.gguf' },
    { path: 'helper.gguf', gguf_kind: 'imatrix' },
    { path: 'eyes-Q4_K_M.gguf', gguf_kind: 'projector' },
    { path: 'small-Q4_K_M.gguf', gguf_kind: 'draft' },
    { path: 'style-Q4_K_M.gguf', gguf_kind: 'adapter' },
  ] as const;
  expect(findLoadable(files)).toEqual({
    gguf: 'm-BF16.gguf',
    mmproj: 'eyes-Q4_K_M.gguf',
    draft: 'small-Q4_K_M.gguf',
    selector: 'BF16',
  });
  // A repo that contains only one adapter offers it.
  expect(findLoadable([{ path: 'style.gguf', gguf_kind: 'adapter' }])).toMatchObject({ gguf: 'style.gguf' });
});
