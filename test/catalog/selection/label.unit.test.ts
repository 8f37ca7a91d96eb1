import { expect, test } from 'vitest';
import { findLabel, labelOfPath, parseLabel } from '../../../src/core/catalog/selection/label.ts';
import { matchesGlob } from '../../../src/core/catalog/selection/matches-glob.ts';
import { selectFiles } from '../../../src/core/catalog/selection/select-files.ts';

test.each([
  ['m-Q4_K_M', 'Q4_K_M', 4],
  ['m.q4_k_m', 'Q4_K_M', 4],
  ['m-Q4KM', 'Q4_K_M', 4],
  ['devstralQ4_K_M', 'Q4_K_M', 4],
  ['ggml-model-q4_0', 'Q4_0', 4],
  ['m-Q4_1', 'Q4_1', 4],
  ['m-Q4_0_4_8', 'Q4_0_4_8', 4],
  ['m-Q2_K_L', 'Q2_K_L', 2],
  ['m-UD-Q4_K_XL', 'UD-Q4_K_XL', 4],
  ['m-ud-iq2_xxs', 'UD-IQ2_XXS', 2],
  ['m-I-Q5_K_M', 'I-Q5_K_M', 5],
  ['m.i1-IQ4_NL', 'IQ4_NL', 4],
  ['m-IQ4_KSS', 'IQ4_KSS', 4],
  ['m-IQ2_KT', 'IQ2_KT', 2],
  ['m-IQ1_S_R4', 'IQ1_S_R4', 1],
  ['m-TQ1_0', 'TQ1_0', 1],
  ['m-MXFP4', 'MXFP4', 4],
  ['m-MXFP4_MOE', 'MXFP4_MOE', 4],
  ['m-NVFP4', 'NVFP4', 4],
  ['ggml-model-i2_s', 'I2_S', 2],
  ['m-Q1_0_g128', 'Q1_0_G128', 1],
  ['m-q8', 'Q8', 8],
  ['m-Q4_K_M_imat', 'Q4_K_M', 4],
  ['m-bf16', 'BF16', 16],
  ['m-FP16', 'F16', 16],
  ['m_fp32', 'F32', 32],
  ['m-float16', 'F16', 16],
  ['m-fp-16', 'F16', 16],
  ['m.BF_16', 'BF16', 16],
  ['m-q4-k-m', 'Q4_K_M', 4],
  ['m.q5.k.s', 'Q5_K_S', 5],
  ['m-q8-0', 'Q8_0', 8],
  ['m-iq3-xxs', 'IQ3_XXS', 3],
  ['m_ud_q2_k_xl', 'UD-Q2_K_XL', 2],
  ['gpt-oss-BF16-tuned.i1-IQ4_XS', 'IQ4_XS', 4],
  ['m.f16.q6', 'Q6', 6],
  ['Qwen2.5-7B', undefined, undefined],
  ['QwQ-32B', undefined, undefined],
  ['m-Q9', undefined, undefined],
  ['m-f-32b', undefined, undefined],
  ['m-fp8', undefined, undefined],
  ['m-XQ4_0', undefined, undefined],
  ['m-F165', undefined, undefined],
  ['', undefined, undefined],
])('the label of %s is %s', (name, text, bits) => {
  const label = findLabel(name);
  expect([label?.text, label?.bits]).toEqual([text, bits]);
  if (text !== undefined) expect(parseLabel(text.toLowerCase())).toMatchObject({ text, bits });
});

test('only a text that is exactly a label counts as a label', () => {
  for (const text of ['m-Q4_K_M', 'Q4_K_M.gguf', 'Q4_K_M-Q8_0', 'x']) expect(parseLabel(text)).toBeUndefined();
  expect(parseLabel('fp16')?.text).toBe('F16');
});

test.each([
  ['Q8_0/model.gguf', 'Q8_0'],
  ['Q8_0/model-Q4_0.gguf', 'Q4_0'],
  ['BF16/sub/model.gguf', 'BF16'],
  ['sub/model.gguf', undefined],
])('the label of the file %s is %s', (path, text) => {
  expect(labelOfPath(path)?.text).toBe(text);
});

test('bits per weight are known for common labels, and unknown for dynamic ones', () => {
  expect(['Q4_K_M', 'Q8_0', 'F16', 'UD-Q4_K_XL', 'IQ4_KSS'].map((text) => parseLabel(text)?.bitsPerWeight)).toEqual([
    4.89,
    8.5,
    16,
    undefined,
    undefined,
  ]);
});

test('the order of preference is the order of the Python Skulk, with other labels placed by their bits', () => {
  const best = (
    'Q4_K_M UD-Q4_K_M Q4_K_L Q4_K_S UD-Q4_K_S MXFP4 Q5_K_M UD-Q5_K_XL Q5_K_S Q6_K UD-Q6_K_XL Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 UD-Q8_K_XL ' +
    'Q3_K_M Q3_K_L UD-Q3_K_XL Q3_K_S Q2_K Q2_K_L IQ4_XS IQ4_NL IQ4_KS IQ3_M IQ2_S IQ1_S TQ1_0 zzz BF16 F32'
  ).split(' ');
  for (let rank = 0; rank < best.length; rank += 1) {
    const left = best.slice(rank).toReversed();
    const files = left.map((label) => ({ path: `M-${label}.gguf`, size: 1 }));
    expect(selectFiles(files, {}).group?.ggufFile).toBe(`M-${best[rank]}.gguf`);
  }
  const alike = ['b-Q4_K_M.gguf', 'a-Q4_K_M.gguf'].map((path) => ({ path, size: 1 }));
  expect(selectFiles(alike, {}).group?.ggufFile).toBe('a-Q4_K_M.gguf');
});

test.each([
  ['a.json', '*.json', true],
  ['sub/deep/a.json', '*.json', true],
  ['a.JSON', '*.json', false],
  ['onnx/a/b', 'onnx/', true],
  ['onnx', 'onnx/', false],
  ['ab', 'a?', true],
  ['a', 'a?', false],
  ['a1.x', 'a[0-9].x', true],
  ['ab.x', 'a[!0-9].x', true],
  ['a]', 'a[]]', true],
  ['a[b', 'a[b', true],
  ['', '', true],
  ['a', '', false],
  ['aXbXc', 'a*b*c', true],
  ['ab', '*a*b*', true],
])('%j matches %j: %s', (path, pattern, matches) => {
  expect(matchesGlob(path, pattern)).toBe(matches);
});

test('a pattern with many stars is matched without trying every combination', () => {
  expect(matchesGlob('a'.repeat(4_000), `${'*a'.repeat(1_000)}b`)).toBe(false);
});
