import { expect, test } from 'vitest';
import { incomplete, unrecognized } from '../../../src/core/catalog/contents/finding.ts';
import { formatProblems, parseProblems } from '../../../src/core/catalog/contents/problem-header.ts';
import type { ContentProblem } from '../../../src/core/catalog/contents/problems-of-list.ts';
import { findUnloadable } from '../../../src/core/catalog/contents/unloadable.ts';

const empty = (...paths: string[]): readonly ContentProblem[] => paths.map((path) => ({ path, ...incomplete('it is empty') }));

/** The reported files, with the quantization behind each. */
const found = (paths: readonly string[], problems: readonly ContentProblem[]): readonly string[] =>
  findUnloadable(
    paths.map((path) => ({ path, size: 1 })),
    problems,
  ).map(({ path, selector }) => `${path}${selector === null ? '' : ` (${selector})`}`);

test.each<readonly [string, readonly string[], readonly string[], readonly string[]]>([
  ['the only weights are bad', ['model.safetensors', 'config.json'], ['model.safetensors'], ['model.safetensors']],
  ['the only GGUF file is bad', ['m-Q4_K_M.gguf'], ['m-Q4_K_M.gguf'], ['m-Q4_K_M.gguf']],
  ['one quantization of two is bad', ['m-Q4_K_M.gguf', 'm-Q8_0.gguf'], ['m-Q8_0.gguf'], ['m-Q8_0.gguf (Q8_0)']],
  [
    'a shard of a quantization is bad',
    ['m-Q4_K_M-00001-of-00002.gguf', 'm-Q4_K_M-00002-of-00002.gguf', 'm-Q8_0.gguf'],
    ['m-Q4_K_M-00002-of-00002.gguf'],
    ['m-Q4_K_M-00002-of-00002.gguf (Q4_K_M)'],
  ],
  [
    'a shard of the usual weights is bad',
    ['model-00001-of-00002.safetensors', 'mtp.safetensors'],
    ['model-00001-of-00002.safetensors'],
    ['model-00001-of-00002.safetensors'],
  ],
  ['its configuration is bad', ['model.safetensors', 'config.json'], ['config.json'], ['config.json']],
  [
    'every folder of a choice is bad',
    ['4bit/model.safetensors', '8bit/model.safetensors'],
    ['4bit/model.safetensors', '8bit/model.safetensors'],
    ['4bit/model.safetensors', '8bit/model.safetensors'],
  ],
  [
    'a part of several is bad',
    ['model_index.json', 'unet/a.safetensors', 'vae/b.safetensors'],
    ['vae/b.safetensors'],
    ['vae/b.safetensors'],
  ],
])('%s, so it is reported', (_, paths, bad, reported) => {
  expect(found(paths, empty(...bad))).toEqual(reported);
});

test.each<readonly [string, readonly string[], readonly string[]]>([
  ['an image', ['model.safetensors', 'assets/logo.png'], ['assets/logo.png']],
  ['the projector of a model', ['m-Q4_K_M.gguf', 'mmproj-F16.gguf'], ['mmproj-F16.gguf']],
  ['an importance matrix', ['m-Q4_K_M.gguf', 'imatrix.dat'], ['imatrix.dat']],
  ['a copy in another format', ['model.safetensors', 'pytorch_model.bin', 'onnx/model.onnx'], ['pytorch_model.bin', 'onnx/model.onnx']],
  ['the state of the training', ['pytorch_model.bin', 'training_args.bin'], ['training_args.bin']],
  ['one of several independent files', ['a.safetensors', 'b.safetensors'], ['b.safetensors']],
  ['a copy in a folder', ['model.safetensors', 'original/model.safetensors'], ['original/model.safetensors']],
  ['one folder of a choice', ['4bit/model.safetensors', '8bit/model.safetensors'], ['8bit/model.safetensors']],
  ['safetensors beside GGUF weights', ['m-Q4_K_M.gguf', 'model.safetensors'], ['model.safetensors']],
])('a program can load the model without %s, so it is not reported', (_, paths, bad) => {
  expect(found(paths, empty(...bad))).toEqual([]);
});

test('a format that skulk does not know is not reported', () => {
  expect(found(['m.gguf'], [{ path: 'm.gguf', ...unrecognized('it does not begin with "GGUF"') }])).toEqual([]);
});

test('the header beside a manifest keeps problems with any text, and leaves out those that do not fit', () => {
  const problems = [{ path: 'a "b" é\n.gguf', reason: 'it is empty', selector: null }];
  expect(parseProblems(formatProblems(problems))).toEqual(problems);
  const many = Array.from({ length: 20 }, (_, index) => ({ path: `${'x'.repeat(400)}${index}`, reason: 'it is empty', selector: null }));
  const kept = parseProblems(formatProblems(many));
  expect(kept.length).toBeGreaterThan(2);
  expect(kept).toEqual(many.slice(0, kept.length));
  for (const text of ['', '%', '%7B', encodeURIComponent('[1]'), 'x'.repeat(5000)]) expect(parseProblems(text)).toEqual([]);
});
