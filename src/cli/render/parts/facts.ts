import { fill, wrap } from './text-width.ts';
import type { Part, Tone } from './words.tsx';

/** A fact: its name and its value. An empty one is omitted. */
export type Fact = readonly [name: string, value: string | null, tone?: Tone];

/** Facts as lines, with the names in a separate column. Pure. */
export function factLines(facts: readonly Fact[], width: number): readonly (readonly Part[])[] {
  const known = facts.filter(([, value]) => value !== null && value !== '');
  const column = Math.max(0, ...known.map(([name]) => name.length)) + 2;
  return known.flatMap(([name, value, tone = 'plain']) =>
    wrap(value ?? '', Math.max(10, width - column - 2)).map((line, index): readonly Part[] => [
      { text: `  ${fill(index === 0 ? name : '', column)}`, tone: 'quiet' },
      { text: line, tone },
    ]),
  );
}
