import { expect, test } from 'vitest';
import { planRemoval } from '../../src/core/catalog/selection/plan-removal.ts';

const sized = (paths: readonly string[]) => paths.map((path) => ({ path, size: 1 }));
const planOf = (paths: readonly string[], selector: string) => {
  const planned = planRemoval(sized(paths), selector);
  if ('problem' in planned) return planned.problem.code;
  return { files: planned.group.files.map(({ path }) => path), isLast: planned.isLast };
};
const shards = ['m-Q8_0-00001-of-00002.gguf', 'm-Q8_0-00002-of-00002.gguf'];
const three = ['config.json', 'm-Q4_K_M.gguf', ...shards, 'sub/m-Q2_K.gguf', 'mmproj-F16.gguf', 'm-draft.gguf'];

test.each([
  ['a label', 'q8_0', { files: shards, isLast: false }],
  ['the path of any shard', shards[1] ?? '', { files: shards, isLast: false }],
  ['a path in a folder', 'sub/m-Q2_K.gguf', { files: ['sub/m-Q2_K.gguf'], isLast: false }],
  ['a label that is not there', 'Q6_K', 'no-such-selection'],
  ['a part of a label', 'Q4_K', 'no-such-selection'],
  ['a projector', 'mmproj-F16.gguf', 'no-such-selection'],
  ['the path of a draft model', 'm-draft.gguf', { files: ['m-draft.gguf'], isLast: false }],
])('%s lists the files to remove', (_, selector, expected) => {
  expect(planOf(three, selector)).toEqual(expected);
});

test('the last quantization counts as the last one even if config, projector and draft model are beside it', () => {
  expect(planOf(['config.json', 'm-Q4_K_M.gguf', 'mmproj-F16.gguf', 'm-draft.gguf'], 'Q4_K_M')).toMatchObject({ isLast: true });
});

test('a draft without any weights beside it is the last file only if there is no other draft', () => {
  const draft = (path: string) => ({ path, size: 1, gguf_kind: 'draft' as const });
  const config = { path: 'config.json', size: 1 };
  const [first, second] = [draft('m-mtp-Q8_0.gguf'), draft('m-mtp-Q4_0.gguf')];
  expect(planRemoval([config, first], first.path)).toMatchObject({ isLast: true, group: { files: [first] } });
  expect(planRemoval([config, first, second], first.path)).toMatchObject({ isLast: false, group: { files: [first] } });
  expect(planRemoval([config, first], 'Q8_0')).toMatchObject({ problem: { code: 'no-such-selection' } });
});

test('weights of another format keep the model in the store', () => {
  expect(planOf(['m-Q4_K_M.gguf', 'model.safetensors'], 'Q4_K_M')).toMatchObject({ isLast: false });
});

test('two quantizations with the same label must be selected by their paths', () => {
  expect(planOf(['a/m-Q4_K_M.gguf', 'b/m-Q4_K_M.gguf'], 'Q4_K_M')).toBe('ambiguous-selector');
  expect(planOf(['a/m-Q4_K_M.gguf', 'b/m-Q4_K_M.gguf'], 'b/m-Q4_K_M.gguf')).toEqual({ files: ['b/m-Q4_K_M.gguf'], isLast: false });
});

test('a quantization with a missing shard can be removed', () => {
  expect(planOf(['m-Q4_K_M.gguf', 'm-Q8_0-00002-of-00002.gguf'], 'Q8_0')).toEqual({ files: ['m-Q8_0-00002-of-00002.gguf'], isLast: false });
});
