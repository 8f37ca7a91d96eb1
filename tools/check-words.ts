/**
 * Checks the words of every text that a person reads: strings of src and web, names of tests, all comments, and the pages of the repository.
 * Sentences of the pages, except the change log, have at most 30 words. Run by `npm run check:words`; with violations it prints a line for
 * each and exits with status 1.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findLongSentences, textOfMarkdown } from './text-of-markdown.ts';
import { textOfComments, textOfSource, textOfTestNames } from './text-of-source.ts';
import { findPhrases } from './words.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const maxWords = 30;
const violations: string[] = [];

for (const path of globSync('{src,web}/**/*.{ts,tsx}', { cwd: root }).toSorted())
  for (const { text, line } of textOfSource(readFileSync(root + path, 'utf8'), path))
    violations.push(...findPhrases(text).map((problem) => `${path}:${line}: ${problem}`));

for (const path of globSync('{src,web,bin,test,bench,tools}/**/*.{ts,tsx,js,mjs}', { cwd: root }).toSorted()) {
  if (path.includes('node_modules')) continue;
  const source = readFileSync(root + path, 'utf8');
  for (const { text, line } of [...textOfTestNames(source, path), ...textOfComments(source, path)])
    violations.push(...findPhrases(text).map((problem) => `${path}:${line}: ${problem}`));
}

for (const path of globSync('{*.md,docs/**/*.md}', { cwd: root }).toSorted())
  for (const { text, line } of textOfMarkdown(readFileSync(root + path, 'utf8'))) {
    violations.push(...findPhrases(text).map((problem) => `${path}:${line}: ${problem}`));
    if (path !== 'CHANGELOG.md')
      violations.push(...findLongSentences(text, maxWords).map((one) => `${path}:${line}: more than ${maxWords} words: ${one}`));
  }

for (const violation of violations) process.stderr.write(`${violation}\n`);
if (violations.length > 0) process.exitCode = 1;
