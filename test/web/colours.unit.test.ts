import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const styles = new URL('../../web/styles/', import.meta.url);
const readStyle = (name: string): string => readFileSync(new URL(name, styles), 'utf8');

type Theme = 'light' | 'dark';

/** The colours of the page by name, `#rrggbb` in each theme. */
const tokens: ReadonlyMap<string, Readonly<Record<Theme, string>>> = new Map(
  [...readStyle('base.css').matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }],
  ),
);

/** Relative luminance of `#rrggbb` (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrastOf(front: string, back: string, theme: Theme): number {
  const [a, b] = [front, back].map((name) => {
    const token = tokens.get(name);
    if (token === undefined) throw new Error(`base.css has no colour --${name}`);
    return luminance(token[theme]);
  });
  const [low, high] = [a ?? 0, b ?? 0].toSorted((one, other) => one - other);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

/** What is read needs 4.5, and what is only seen needs 3 (WCAG 1.4.3 and 1.4.11). */
const pairs: readonly (readonly [front: string, back: string, least: number])[] = [
  ...['ground', 'surface', 'raised'].flatMap((back) => [
    ['text', back, 4.5] as const,
    ['muted', back, 4.5] as const,
    ['accent', back, 4.5] as const,
  ]),
  ...['move', 'use', 'good', 'warn', 'bad'].flatMap((front) => [
    [front, 'surface', 4.5] as const,
    [front, 'raised', 4.5] as const,
    [front, `${front}-soft`, 4.5] as const,
  ]),
  ['text', 'accent-soft', 4.5],
  ['accent', 'accent-soft', 4.5],
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-strong', 4.5],
  ['line-strong', 'surface', 3],
  ['move-fill', 'track', 3],
  ['ink', 'track', 3],
  ['use', 'track', 3],
];

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  test.each(pairs)('the colour %s on %s has a contrast of %d or more', (front, back, least) => {
    expect(contrastOf(front, back, theme)).toBeGreaterThanOrEqual(least);
  });
});

test('every colour of the page comes from the list in base.css, and every colour of the list is used', () => {
  const all = readdirSync(styles).map((name) => readStyle(name));
  const used = new Set(all.flatMap((css) => [...css.matchAll(/var\(--([a-z-]+)/g)].map(([, name = '']) => name)));
  const defined = new Set(all.flatMap((css) => [...css.matchAll(/^\s*--([a-z-]+):/gm)].map(([, name = '']) => name)));
  // The places of a mark and of a menu are set by the parts that draw them.
  for (const name of ['at', 'menu-top', 'menu-left']) defined.add(name);
  expect([...used].filter((name) => !defined.has(name))).toEqual([]);
  expect([...tokens.keys()].filter((name) => !used.has(name))).toEqual([]);
});
