import { expect, test } from 'vitest';
import { hasWeights, namesOfModels } from '../../src/core/catalog/model-names.ts';

const files = (names: string) => names.split(' ').map((path) => ({ path }));

test.each([
  ['llama-7b-Q4_K_M.gguf mistral-7b-Q5_K_M.gguf qwen-Q8_0.gguf sub/phi/phi-Q4_0.gguf', 'llama-7b mistral-7b qwen phi'],
  ['Llama-7B.Q4_K_M.gguf LLAMA-7B.Q8_0.gguf Phi-Q4_0.gguf config.json', 'Llama-7B Phi'],
  ['a-Q4_0-00001-of-00002.gguf a-Q4_0-00002-of-00002.gguf b-Q4_0-00001-of-00001.gguf', 'a b'],
  ['foo.gguf bar.gguf', 'foo bar'],
  ['qwen-BF16/x-BF16.gguf y/y.gguf', 'x y'],
])('%s have the names of the models %s', (listed, names) => {
  expect(namesOfModels(files(listed)).join(' ')).toBe(names);
});

test.each([
  'Foo-Q4_K_M.gguf Foo-Q8_0.gguf',
  'Foo-UD-Q4_K_XL.gguf Foo-Q8_0.gguf',
  'Foo-Q4_0-00001-of-00002.gguf Foo-Q4_0-00002-of-00002.gguf Foo.Q8_0.gguf',
  'Foo.i1-Q4_K_S.gguf Foo.Q4_K_S.gguf Foo-I-Q5_K_M.gguf',
  'BF16/Foo-BF16-00001-of-00002.gguf BF16/Foo-BF16-00002-of-00002.gguf foo-Q4_0.gguf',
  'BF16/model.gguf Foo-Q4_0.gguf',
  'Q4_K_M.gguf Q8_0.gguf Foo-Q4_0.gguf ggml-model-f16.gguf',
  'Foo-Q4_0.gguf mmproj-Foo-f16.gguf Foo-MTP.gguf draft/small.gguf imatrix.gguf other-lora.gguf',
  'Foo-Q4_K_M-imat.gguf Foo-Q8_0.gguf FooQ4_0.gguf Foo-IQ4_XS-tuned.gguf',
  'Foo-Q4_K_M.gguf.part1of2 Foo-Q4_K_M.gguf.part2of2 foo_Q8_0.gguf',
  'flux1-dev-Q4_0.gguf t5xxl-Q8_0.gguf t5-v1_1-xxl-encoder-Q4_K_M.gguf clip_l-Q8_0.gguf umt5-xxl-encoder-Q8_0.gguf text_encoder/qwen-Q4_0.gguf',
  'outetts-0.2-Q4_0.gguf WavTokenizer-Large-75-Q5_1.gguf',
  'Foo-Q4_0.gguf',
  'config.json model.safetensors other.safetensors',
])('%s are one model', (listed) => {
  expect(namesOfModels(files(listed)).length).toBeLessThan(2);
});

test.each([
  ['skulk.yaml', false],
  ['config.json tokenizer.json README.md', false],
  ['config.json model.safetensors.index.json', false],
  ['config.json model.safetensors', true],
  ['model.bin', true],
  ['unet/model.onnx', true],
  ['m.gguf', true],
  ['mmproj-m.gguf', true],
])('%s: hasWeights is %s', (listed, has) => {
  expect(hasWeights(files(listed))).toBe(has);
});
