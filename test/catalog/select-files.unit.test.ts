import { expect, test } from 'vitest';
import { selectFiles } from '../../src/core/catalog/select-files.ts';

const repo = [
  '.gitattributes',
  'README.md',
  'config.json',
  'tokenizer.json',
  'Foo-Q8_0.gguf',
  'Foo-Q4_K_S.gguf',
  'Foo-Q5_K_M-00002-of-00002.gguf',
  'Foo-Q5_K_M-00001-of-00002.gguf',
  'Foo-Q5_K_M-00001-of-00003.gguf',
  'Foo-IQ4_XS.gguf',
  'Foo-BF16.gguf',
  'sub/Bar-q4_k_m.gguf',
  'mmproj-Foo-f16.gguf',
  'MMPROJ-Foo-Q8.gguf',
  'original/weights.pth',
  'metal/x.bin',
];
const projectors = ['mmproj-Foo-f16.gguf', 'MMPROJ-Foo-Q8.gguf'];
const weightsOf = (paths: readonly string[]): readonly string[] =>
  paths.filter((path) => path !== 'config.json' && !projectors.includes(path));

test.each([
  ['nothing pinned: the preference, in any case and directory', {}, ['sub/Bar-q4_k_m.gguf']],
  ['the request wins over all', { ggufFile: 'Foo-Q8_0.gguf', selector: 'IQ4_XS', card: 'Foo-BF16.gguf' }, ['Foo-Q8_0.gguf']],
  ['a selector wins over the card', { selector: 'iq4_xs', card: 'Foo-BF16.gguf' }, ['Foo-IQ4_XS.gguf']],
  ['the card wins over the preference', { card: 'Foo-BF16.gguf' }, ['Foo-BF16.gguf']],
  ['a selector may be a path', { selector: 'Foo-Q4_K_S.gguf' }, ['Foo-Q4_K_S.gguf']],
  ['all shards of the set, and of no other', { selector: 'Q5_K_M' }, ['Foo-Q5_K_M-00001-of-00002.gguf', 'Foo-Q5_K_M-00002-of-00002.gguf']],
  [
    'any shard names its set',
    { ggufFile: 'Foo-Q5_K_M-00002-of-00002.gguf' },
    ['Foo-Q5_K_M-00001-of-00002.gguf', 'Foo-Q5_K_M-00002-of-00002.gguf'],
  ],
])('%s', (_, pins, weights) => {
  const { paths, missingPin, gguf } = selectFiles(repo, pins);
  expect([...weightsOf(paths)].sort()).toEqual(weights);
  expect(paths).toContain('config.json');
  for (const path of projectors) expect(paths).toContain(path);
  expect(missingPin).toBeUndefined();
  expect(gguf).toBe(weights[0]);
});

test.each([{ ggufFile: 'Gone-Q4_0.gguf' }, { selector: 'Q9' }, { selector: 'Q4_K' }, { card: 'Gone.gguf' }])(
  'a pin that is not there falls back: %j',
  (pins) => {
    const { paths, missingPin } = selectFiles(repo, pins);
    expect(weightsOf(paths)).toEqual(['sub/Bar-q4_k_m.gguf']);
    expect(missingPin).toBe(Object.values(pins)[0]);
  },
);

test('the order of preference', () => {
  const best =
    'Q4_K_M Q4_K_S Q5_K_M Q5_K_S Q6_K Q4_0 Q5_0 Q8_0 Q3_K_M Q3_K_L Q3_K_S Q2_K IQ4_XS IQ4_NL IQ4_Q IQ3_M IQ2_S IQ1_S zzz BF16'.split(' ');
  for (let rank = 0; rank < best.length; rank += 1) {
    const left = best
      .slice(rank)
      .toReversed()
      .map((label) => `M-${label}.gguf`);
    expect(selectFiles(left, {}).gguf).toBe(`M-${best[rank]}.gguf`);
  }
  expect(selectFiles(['b-Q4_K_M.gguf', 'a-Q4_K_M.gguf'], {}).gguf).toBe('a-Q4_K_M.gguf');
});

test('a repo without GGUF weights is taken whole, also one with nothing but a projector', () => {
  expect(selectFiles(['config.json', 'a.safetensors', 'README.md'], { selector: 'Q4_0' }).paths.length).toBe(3);
  expect(selectFiles(['mmproj-x.gguf', 'README.md'], {}).paths).toEqual(['mmproj-x.gguf', 'README.md']);
});
