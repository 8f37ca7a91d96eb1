import { expect, test } from 'vitest';
import { readReadmeFacts } from '../../src/core/catalog/readme-facts.ts';
import { countTensors } from '../../src/core/catalog/safetensors-parameters.ts';

test.each([
  [
    'a front matter with both',
    '---\nlicense: apache-2.0\nbase_model: org/base\n---\n# A',
    { license: 'apache-2.0', baseModel: 'org/base' },
  ],
  ['a list of base models', '---\nbase_model:\n- org/first\n- org/second\n---\n', { baseModel: 'org/first' }],
  [
    'a list on one line, in quotes',
    '---\nbase_model: ["org/first", org/b]\nlicense: "mit"\n---\n',
    { baseModel: 'org/first', license: 'mit' },
  ],
  ['line ends of Windows', '---\r\nlicense: llama3.1\r\n---\r\n', { license: 'llama3.1' }],
  ['a field inside another one', '---\nmodel-index:\n  license: no\n---\n', {}],
  ['the word in the text', '# A\nlicense: mit\n', {}],
  ['a front matter without an end', '---\nlicense: mit\n', {}],
  ['values that are none', '---\nlicense: <b>x</b>\nbase_model: ../../etc\n---\n', {}],
])('%s is read without changes', (_, text, facts) => {
  expect(readReadmeFacts(text)).toEqual(facts);
});

test.each([
  ['plain tensors are counted', { __metadata__: {}, a: { dtype: 'BF16', shape: [2, 3] }, b: { dtype: 'F32', shape: [] } }, 7],
  ['packed weights are not', { a: { dtype: 'U32', shape: [2, 3] } }, undefined],
  ['shapes that are none are not', { a: { dtype: 'F16', shape: ['x'] } }, undefined],
  ['what is no head is not', null, undefined],
])('the facts of safetensors files are read: %s', (_, head, count) => {
  expect(countTensors(head)).toBe(count);
});
