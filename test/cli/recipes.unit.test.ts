import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { programNames } from '../../src/core/catalog/programs/programs.ts';
import { withRecipeLines } from '../../tools/docs/recipe-lines.ts';

const directory = fileURLToPath(new URL('../../docs/recipes/', import.meta.url));
const names = readdirSync(directory).filter((name) => name.endsWith('.md'));
const textOf = (name: string): string => readFileSync(`${directory}${name}`, 'utf8');
const recipes = names.filter((name) => name !== 'README.md');

test.each(recipes)('the commands and the pitfalls in docs/recipes/%s are those of skulk show --use', (name) => {
  const text = textOf(name);
  expect(text).toMatch(/<!-- lines: /);
  expect(text).toMatch(/<!-- pitfall: /);
  expect(withRecipeLines(text)).toBe(text);
});

test.each(recipes)('docs/recipes/%s lists what was run', (name) => expect(textOf(name)).toMatch(/\n## What was run\n\n\S/));

test('every program has a recipe, and the index names every recipe', () => {
  const shown = recipes.flatMap((name) => [...textOf(name).matchAll(/<!-- lines: (\S+) /g)].map(([, program]) => program));
  expect([...new Set(shown)].toSorted()).toEqual([...programNames].toSorted());
  const index = textOf('README.md');
  for (const name of recipes) expect(index).toContain(`](${name})`);
});

test('a command that was edited by hand is written again', () => {
  const text = textOf('vllm.md');
  expect(withRecipeLines(text.replace('vllm serve', 'vllm sreve'))).toBe(text);
});
