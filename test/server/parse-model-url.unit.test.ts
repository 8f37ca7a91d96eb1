import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { escapeStrays, parseModelUrl, pathOf } from '../../src/core/server/routes/parse-model-url.ts';

const hostile = [
  '..',
  '../',
  '../../etc/passwd',
  '%2e%2e/x',
  '%2e%2e%2fx',
  '..%2fx',
  '..%5cx',
  '.',
  './x',
  '/etc/passwd',
  '%2fetc%2fpasswd',
  '-a/x',
  'a--b/x',
  'a%2fb%2fc/x',
  'a%00/x',
  '%',
  'org%2Fname/..',
  'org%2Fname/../x',
  'org%2Fname/%2e%2e/x',
  'org%2Fname/..%2fx',
  'org%2Fname/a/../../x',
  'org%2Fname/a/%2e%2e/%2e%2e/x',
  'org%2Fname/./x',
  'org%2Fname/a//x',
  'org%2Fname//etc/passwd',
  'org%2Fname/%2fetc/passwd',
  'org%2Fname/a%00',
  'org%2Fname/a%5cb',
  'org%2Fname/a\\b',
  'org%2Fname/..\\x',
  'org%2Fname/C:/x',
  'org%2Fname/c:x',
  'org%2Fname/%ff',
  'org%2Fname/%c0%ae%c0%ae/x',
  'org%2Fname/%e2%82',
  'org%2Fname/.last_used',
  'org%2Fname/.skulk.json',
  'org%2Fname/.SKULK/x',
  'org%2Fname/a/',
  `org%2Fname/${'a'.repeat(300)}`,
  `org%2Fname/${'a/'.repeat(3000)}a`,
  '%ff%2Fname/x',
  'org/../name',
  'org%2F../x',
  'org%2F%2e%2e/x',
  '~/x',
  'a b/x',
  '.skulk/x',
];

describe('a URL that leads outside a model is refused', () => {
  test.each(hostile)('/models/%s', (rest) => {
    expect(() => parseModelUrl(`/models/${rest}`)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^BAD_(PATH|MODEL_ID)$/) }),
    );
  });

  test('and any other URL stays inside the model', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '%2e',
      '%2E%2e',
      '%2f',
      '/',
      '\\',
      '%5c',
      '%00',
      'x',
      'org',
      '%',
      '%25',
      '%ff',
      '?',
      '#',
      ' ',
      'é',
      'files',
      '%252e',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        try {
          for (const { modelId, paths } of parseModelUrl(`/models/${parts.join('')}`)) {
            for (const path of [modelId, ...paths]) expect(path.split('/')).not.toEqual(expect.arrayContaining(['..']));
          }
        } catch (error) {
          if (!(error instanceof SkulkError)) throw error;
        }
        expect(() => decodeURI(pathOf(escapeStrays(`/models/${parts.join('').replaceAll('%ff', '')}`)))).not.toThrow();
      }),
    );
  });
});

describe('the parsing of a URL', () => {
  test.each([
    ['org%2Fname/files', [['org/name', ['files']]]],
    [
      'name/a.txt',
      [
        ['name/a.txt', []],
        ['name', ['a.txt']],
      ],
    ],
    [
      'org/name/sub/a.txt',
      [
        ['org/name', ['sub/a.txt']],
        ['org', ['name/sub/a.txt']],
      ],
    ],
    ['org%2Fname/a%20b.txt', [['org/name', ['a b.txt', 'a%20b.txt']]]],
    ['org%2Fname/50%.txt?x=1', [['org/name', ['50%.txt']]]],
    ['org%2Fname/100%25', [['org/name', ['100%', '100%25']]]],
    ['org%2Fname/a+b%3F%23.txt', [['org/name', ['a+b?#.txt', 'a+b%3F%23.txt']]]],
    ['org%2Fname/sub%2Fa', [['org/name', ['sub/a', 'sub%2Fa']]]],
    ['org%2Fname/manifest/', [['org/name', ['manifest']]]],
    ['org%2Fname', [['org/name', []]]],
  ])('%s', (rest, expected) => {
    expect(parseModelUrl(`/models/${rest}`).map(({ modelId, paths }) => [modelId, paths])).toEqual(expected);
  });
});
