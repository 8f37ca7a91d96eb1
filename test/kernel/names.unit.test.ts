import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRelativePath, quote, quoteSome } from '../../src/core/kernel/files/relative-path.ts';
import { directoryName, isModelId, modelIdOfDirectory, parseModelRef, parseRevision } from '../../src/core/kernel/model-id.ts';
import { nearest } from '../../src/core/kernel/nearest.ts';
import { anyText } from '../helpers/any-text.ts';
import { testSeed } from '../helpers/seeded.ts';

const runs = { seed: testSeed, numRuns: 500 };
const anyName = fc.oneof(
  anyText({ maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('a', 'B', '7', '.', '-', '_', '/', '@', ':', '~', '\\', '\0', ' '), maxLength: 30 }),
);

describe('a model id', () => {
  test.each(['gpt2', 'mlx-community/Qwen3-4B-4bit', 'a/b', '_x/y_', 'a.b/c-d.e', `${'a'.repeat(96)}/${'b'.repeat(96)}`])(
    'can be %s',
    (id) => {
      expect(isModelId(id)).toBe(true);
    },
  );

  test.each([
    '',
    'a/b/c',
    '/b',
    'a/',
    'a--b',
    'a..b',
    '.a',
    'a.',
    '-a',
    'a-',
    'a b',
    'ä/b',
    'a/b.git',
    'a/b.GIT',
    'incoming',
    'TRASH',
    'registry.json',
    'a'.repeat(97),
  ])('cannot be "%s"', (id) => {
    expect(isModelId(id)).toBe(false);
  });

  test.each([
    ['https://example.com/a/b', 'it is an address, but not of Hugging Face'],
    ['https://huggingface.co/datasets/a/b', 'skulk keeps models, not datasets or Spaces'],
    ['hf://spaces/a/b', 'skulk keeps models, not datasets or Spaces'],
    ['a/b/c', 'it has more than one slash'],
  ])('is not read from %s: %s', (text, why) => {
    expect(() => parseModelRef(text)).toThrow(why);
  });

  test.each([
    ['http://10.77.9.1:58080/models/demo/my-model', 'use demo/my-model'],
    ['http://10.77.9.1:58080/models/demo%2Fmy-model/', 'use demo/my-model'],
    ['http://HOST:52415/org/name?tab=files', 'use org/name'],
    ['http://HOST:52415/org/name/blob/main/x', 'use the form org/name, e.g. mlx-community/Qwen3-4B-4bit'],
    ['http://HOST:52415/datasets/..', 'use the form org/name, e.g. mlx-community/Qwen3-4B-4bit'],
  ])('is suggested for %s: %s', (text, hint) => {
    expect(() => parseModelRef(text)).toThrow(expect.objectContaining({ code: 'BAD_MODEL_ID', hint }));
  });

  test('has a directory name of its own, which can be converted back', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '_', '-', '.'), minLength: 1, maxLength: 8 });
    const id = fc
      .oneof(
        part,
        fc.tuple(part, part).map((parts) => parts.join('/')),
      )
      .filter(isModelId);
    fc.assert(
      fc.property(id, (one) => {
        expect(modelIdOfDirectory(directoryName(one))).toBe(one);
        expect(directoryName(one)).not.toMatch(/[/\\]|^\.|^-/);
      }),
      runs,
    );
    fc.assert(
      fc.property(id, id, (one, other) => {
        expect(directoryName(one) === directoryName(other)).toBe(one === other);
      }),
      runs,
    );
  });

  test.each([
    ['org/m', { modelId: 'org/m' }],
    ['org/m@v1.0', { modelId: 'org/m', revision: 'v1.0' }],
    ['org/m:Q4_K_M', { modelId: 'org/m', selector: 'Q4_K_M' }],
    ['org/m@refs/pr/1:sub/a b.gguf', { modelId: 'org/m', revision: 'refs/pr/1', selector: 'sub/a b.gguf' }],
  ])('%s gets a suggestion', (text, ref) => {
    expect(parseModelRef(text)).toEqual(ref);
  });

  test.each([
    ['org/m@', 'USAGE'],
    ['org/m@../x', 'USAGE'],
    ['org/m@a//b', 'USAGE'],
    ['org/m:', 'USAGE'],
    ['org/m:../x.gguf', 'BAD_PATH'],
    ['org/m:/etc/x.gguf', 'BAD_PATH'],
    ['org/m: Q4', 'USAGE'],
    ['@v1', 'BAD_MODEL_ID'],
    ['a b@v1', 'BAD_MODEL_ID'],
  ])('%s is refused with %s', (text, code) => {
    expect(() => parseModelRef(text)).toThrow(expect.objectContaining({ code }));
  });

  test('is parsed or refused with a hint for any input', () => {
    fc.assert(
      fc.property(anyName, (text) => {
        try {
          const { modelId, revision, selector } = parseModelRef(text);
          expect([isModelId(modelId), selector === '' || revision === '']).toEqual([true, false]);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(BAD_MODEL_ID|BAD_PATH|USAGE)$/), hint: expect.any(String) });
        }
      }),
      runs,
    );
    expect(() => parseRevision('x'.repeat(256))).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('the path of a file in a model', () => {
  test.each(['a', 'a/b.gguf', 'sub/.hidden', 'b é.bin', 'a b', '日本/x', '...', `${'d/'.repeat(30)}x`])('can be "%s"', (path) => {
    expect(isRelativePath(path)).toBe(true);
  });

  test.each([
    '',
    '/a',
    'a//b',
    'a/',
    '.',
    '..',
    'a/../b',
    './a',
    'a\\b',
    'C:/x',
    'c:x',
    'a\0b',
    '\ud800',
    '.skulk/x',
    '.SKULK.json',
    '.ſkulk.json',
    '.sKulk.json',
    '.sk\u200culk.json',
    '.skulk.json.',
    '.skulk.json ',
    '.skulk\u00ad/x',
    '．skulk.json',
    '.skulk.json::$DATA',
    'SKULK~1.JSO',
    '.last_used. .',
    '.last_used',
    'é'.repeat(128),
    'a/'.repeat(2100),
  ])('cannot be %j', (path) => {
    expect(isRelativePath(path)).toBe(false);
  });

  test('stays below its root for any input, if it is valid', () => {
    fc.assert(
      fc.property(anyName, (path) => {
        if (!isRelativePath(path)) return;
        expect(new URL(`file:///root/${path.split('/').map(encodeURIComponent).join('/')}`).pathname).toMatch(/^\/root\/./);
        expect(path.split('/')).not.toContain('..');
      }),
      runs,
    );
  });

  test('is printed on one line without control characters', () => {
    fc.assert(
      fc.property(anyName, (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters must not be there
        expect(quote(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
      runs,
    );
    expect(quoteSome(['a', 'b'])).toBe('"a", "b"');
    expect(quoteSome(Array.from({ length: 8 }, (_, n) => `f${n}`))).toBe('"f0", "f1", "f2", "f3", "f4" and 3 more');
  });
});

test.each([
  ['stgae', 'stage'],
  ['STAGE', 'stage'],
  ['regitry', 'registry'],
  ['delet', 'delete'],
  ['xyz', undefined],
  ['', undefined],
])('%s gets the suggestion %s', (word, meant) => {
  expect(nearest(word, ['stage', 'registry', 'delete', 'serve'])).toBe(meant);
});
