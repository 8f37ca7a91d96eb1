import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findTag } from '../../src/core/endpoint/registry/find-tag.ts';

const repo = [
  'README.md',
  'tiny-Q8_0.gguf',
  'tiny-Q4_K_M.gguf',
  'tiny-UD-Q4_K_XL.gguf',
  'BF16/tiny-BF16-00001-of-00003.gguf',
  'BF16/tiny-BF16-00002-of-00003.gguf',
  'BF16/tiny-BF16-00003-of-00003.gguf',
  'mmproj-tiny-F16.gguf',
];

const find = (tag: string, paths: readonly string[] = repo, pin?: string): string | undefined =>
  findTag(
    paths.map((path) => ({ path, size: 1 })),
    tag,
    pin,
  )?.ggufFile;

describe('a registry tag', () => {
  test.each([
    ['Q8_0', 'tiny-Q8_0.gguf'],
    ['q8_0', 'tiny-Q8_0.gguf'],
    ['q4_k_m', 'tiny-Q4_K_M.gguf'],
    ['tiny-Q8_0', 'tiny-Q8_0.gguf'],
    ['tiny-Q8_0.gguf', 'tiny-Q8_0.gguf'],
    ['TINY-q8_0.GGUF', 'tiny-Q8_0.gguf'],
    ['UD-Q4_K_XL', 'tiny-UD-Q4_K_XL.gguf'],
    ['Q4_K_XL', 'tiny-UD-Q4_K_XL.gguf'],
    ['Q4_K', 'tiny-Q4_K_M.gguf'],
    ['latest', 'tiny-Q4_K_M.gguf'],
    ['Latest', 'tiny-Q4_K_M.gguf'],
  ])('%s selects the file by its label, its name or a part of it', (tag, file) => {
    expect(find(tag)).toBe(file);
  });

  test.each(['BF16', 'bf16', 'tiny-BF16', 'tiny-BF16-00001-of-00003', 'tiny-BF16-00002-of-00003.gguf'])(
    '%s selects the first shard of a split file',
    (tag) => {
      expect(find(tag)).toBe('BF16/tiny-BF16-00001-of-00003.gguf');
    },
  );

  test.each([
    'Q2_K',
    'F16',
    'mmproj-tiny-F16',
    '4_K_',
    'iny',
    'README',
    '..',
    'Q8_0/..',
    '../tiny-Q8_0',
    '',
    'a'.repeat(200),
    'Q8_0\r\n',
    '-Q8_0',
  ])('%j selects nothing', (tag) => {
    expect(find(tag)).toBeUndefined();
  });

  test('selects the shortest of several matching names', () => {
    expect(find('Q8_0', ['b/model-long-Q8_0.gguf', 'a/model-Q8_0.gguf', 'model-longer-Q8_0.gguf'])).toBe('a/model-Q8_0.gguf');
  });

  test('that is the name of a file selects this file, not one with a longer name', () => {
    expect(find('m-Q8_0', ['m-Q8_0-extra.gguf', 'm-Q8_0.gguf'])).toBe('m-Q8_0.gguf');
  });

  test('`latest` prefers the file in the model card', () => {
    expect(find('latest', repo, 'tiny-Q8_0.gguf')).toBe('tiny-Q8_0.gguf');
    expect(find('latest', repo, 'gone.gguf')).toBe('tiny-Q4_K_M.gguf');
  });

  test('never selects a quantization with a missing shard', () => {
    expect(find('Q8_0', ['m-Q8_0-00001-of-00002.gguf', 'm-Q4_0.gguf'])).toBeUndefined();
    expect(find('latest', ['m-Q4_K_M-00001-of-00002.gguf', 'm-Q2_K.gguf'])).toBe('m-Q2_K.gguf');
  });

  test('means the same in a folder whose name is the label', () => {
    expect(find('Q8_0', ['Q8_0/model.gguf', 'Q4_0/model.gguf'])).toBe('Q8_0/model.gguf');
  });

  test('selects a file of the model or nothing, for any input', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\w.-]{1,20}$/)), (tag) => {
        const found = find(tag);
        expect(found === undefined || repo.includes(found)).toBe(true);
      }),
    );
  });
});
