import { expect, test } from 'vitest';
import { findLongSentences, textOfMarkdown } from '../../tools/text-of-markdown.ts';
import { textOfComments, textOfSource, textOfTestNames } from '../../tools/text-of-source.ts';
import { findPhrases } from '../../tools/words.ts';

test.each([
  ['Whoever reads this', '"Whoever": write "anyone who"'],
  ['the download goes on', '"goes on": write "continues" or "resumes"'],
  ['wait_ms is no number', '"is no n": write "is not a …"'],
  ['so the store is told', '"told": write "reported" or "notified"'],
  ['it is not read, nor is it written', '"nor is": write a second sentence with its own subject'],
])('the check of words refuses %j', (text, problem) => {
  expect(findPhrases(text)).toEqual([problem]);
});

test.each(['There is no store', 'it is no longer here', 'a recommendation', 'the standard output', 'a golden rule'])(
  'the check of words accepts %j',
  (text) => {
    expect(findPhrases(text)).toEqual([]);
  },
);

test('the check of words reads strings, templates and the text of elements, but not code', () => {
  const source = `import { a } from './words.ts';
const one = 'first text';
const two = \`second \${one} text\`;
const three = <p className="whoever">third text</p>;
// A comment has words too.
`;
  expect(textOfSource(source, 'x.tsx')).toEqual([
    { text: 'first text', line: 2 },
    { text: 'second … text', line: 3 },
    { text: 'third text', line: 4 },
  ]);
});

test('the check of words reads comments and names of tests', () => {
  const source = `/**
 * First comment,
 * in two lines.
 */
describe('a group', () => {
  test.each(rows)(\`row %s\`, () => {}); // second comment
});
it.skip('no name of a test');
`;
  expect(textOfComments(source, 'x.ts')).toEqual([
    { text: '* First comment, in two lines.', line: 1 },
    { text: 'second comment', line: 6 },
  ]);
  expect(textOfTestNames(source, 'x.ts')).toEqual([
    { text: 'a group', line: 5 },
    { text: 'row %s', line: 6 },
  ]);
});

test('the check of words reads paragraphs, items and cells of a page, without code', () => {
  const page =
    '# A title\n\nOne line\nand `the next` one.\n\n- an item\n- [a link](x.md)\n\n```sh\nwhoever\n```\n\n| a cell | `code` |\n|---|---|\n';
  expect(textOfMarkdown(page)).toEqual([
    { text: 'A title', line: 1 },
    { text: 'One line and CODE one.', line: 3 },
    { text: 'an item', line: 6 },
    { text: 'a link', line: 7 },
    { text: 'a cell', line: 13 },
    { text: 'CODE', line: 13 },
  ]);
});

test('the length of a sentence is counted in words, and a list of code counts as one', () => {
  expect(findLongSentences('One two three. Four five.', 3)).toEqual([]);
  expect(findLongSentences('One two, e.g. three four. Five.', 3)).toEqual(['One two, e.g. three four.']);
  expect(findLongSentences('Files are CODE, CODE, CODE and CODE.', 3)).toEqual([]);
});
