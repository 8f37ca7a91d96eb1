import { expect, test } from 'vitest';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { fillIn, findNeeds } from '../../src/core/operations/stage/program-arguments.ts';

const ref = parseModelRef('org/m:Q4_K_M');
const values = { path: '/s/org--m', model: 'org/m', gguf: '/s/org--m/m.gguf', mmproj: undefined, draft: '/s/d' };

test.each([
  ['{path}', '/s/org--m', []],
  ['{path}/x={model}', '/s/org--m/x=org/m', []],
  ['-m={gguf},{gguf}', '-m=/s/org--m/m.gguf,/s/org--m/m.gguf', ['gguf']],
  ['{draft}', '/s/d', ['draft']],
  ['{{gguf}', '{gguf}', []],
  ['{{{gguf}', '{/s/org--m/m.gguf', ['gguf']],
  ['{{{{gguf}}', '{{gguf}}', []],
  ['{"a":{"b":1}}', '{"a":{"b":1}}', []],
  ['{GGUF} {x} {} { gguf } $1 $&', '{GGUF} {x} {} { gguf } $1 $&', []],
  ['', '', []],
])('the argument %j becomes %j', (text, filled, needs) => {
  expect(fillIn(text, values, ref)).toBe(filled);
  expect(findNeeds([text])).toEqual(needs);
});

test('a file that the model does not have is refused with its name', () => {
  expect(findNeeds(['{mmproj}', 'x{gguf}{mmproj}'])).toEqual(['mmproj', 'gguf']);
  expect(() => fillIn('{mmproj}', values, ref)).toThrow('org/m:Q4_K_M has no projector (mmproj)');
});
