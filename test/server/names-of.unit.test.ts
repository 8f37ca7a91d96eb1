import { expect, test } from 'vitest';
import { namesOf } from '../../src/core/server/access/log-changes.ts';

const names = (count: number, length: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `org/${index}`.padEnd(length, 'x'));

test.each([
  [['org/a', 'org/b:Q8_0'], 'org/a, org/b:Q8_0'],
  [names(40, 8), `${names(20, 8).join(', ')} and 20 more`],
  [names(3, 150), `${names(1, 150)[0]} and 2 more`],
  [['x'.repeat(300), 'org/b'], `${'x'.repeat(200)} and 1 more`],
])('the log names as many models of a list as have room, and counts the others: %#', (given, said) => {
  expect(namesOf(given)).toBe(said);
});
