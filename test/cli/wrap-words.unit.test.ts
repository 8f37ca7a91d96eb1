import { expect, test } from 'vitest';
import { wrapLines } from '../../src/cli/render/wrap-words.ts';

test.each([
  ['a short line', 'no download job for org/x', 40, 'no download job for org/x'],
  ['a sentence', 'a machine that is away stages it when it is back', 24, 'a machine that is away\n  stages it when it is\n  back'],
  ['several lines, each for itself', `one\n${'word '.repeat(6).trim()}`, 20, 'one\nword word word word\n  word word'],
  [
    'a path, which stays whole',
    'cannot read /srv/a/very/long/path/to/models today',
    24,
    'cannot read\n  /srv/a/very/long/path/to/models\n  today',
  ],
  ['a command, which one copies', 'use `skulk add PATH --force` or try again', 26, 'use\n  `skulk add PATH --force`\n  or try again'],
  ['a single backtick', 'the name has a ` in it, which is wrong', 22, 'the name has a ` in\n  it, which is wrong'],
  ['a terminal of unknown width', 'word '.repeat(40), undefined, 'word '.repeat(40)],
  ['a terminal that is hardly wider than a word', 'word word word', 10, 'word word word'],
])('a message on a terminal breaks between words: %s', (_what, text, columns, expected) => {
  expect(wrapLines(text, columns)).toBe(expected);
});
