import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { splitRef } from '../../web/api/model-ref.ts';
import { testSeed } from '../helpers/seeded.ts';

const model = { modelId: 'org/name' };
const at = (revision: string, selector?: string) => ({ ...model, revision, ...(selector !== undefined && { selector }) });

test.each([
  ['  org/name/ ', model],
  ['gpt2', { modelId: 'gpt2' }],
  ['org/name@v1.0', at('v1.0')],
  ['org/name@feature/x', at('feature/x')],
  ['org/name:q5_k_m', { ...model, selector: 'q5_k_m' }],
  ['org/name@refs/pr/1:sub/a b.gguf', at('refs/pr/1', 'sub/a b.gguf')],
  ['org/name/FILE.gguf', { ...model, selector: 'FILE.gguf' }],
  ['org/name/sub/FILE.gguf?download=true', { ...model, selector: 'sub/FILE.gguf' }],
  ['org/name@v1/FILE.gguf', at('v1', 'FILE.gguf')],
  ['org/name/blob/main/FILE.gguf', at('main', 'FILE.gguf')],
  ['https://huggingface.co/org/name', model],
  ['http://www.huggingface.co/org/name/', model],
  ['huggingface.co/org/name?not-for-all-audiences=true#files', model],
  ['https://huggingface.co/gpt2/tree/main', { modelId: 'gpt2', revision: 'main' }],
  ['https://hf.co/org/name/tree/v2/', at('v2')],
  ['https://huggingface.co/org/name/tree/refs%2Fpr%2F1', at('refs/pr/1')],
  ['https://huggingface.co/org/name/tree/refs/pr/1', at('refs/pr/1')],
  ['https://huggingface.co/org/name/tree/main/UD-Q4_K_XL', at('main', 'UD-Q4_K_XL')],
  ['https://huggingface.co/org/name/blob/main/sub/X-Q4_0.gguf#L1', at('main', 'sub/X-Q4_0.gguf')],
  ['https://huggingface.co/org/name/resolve/main/a%20b.gguf?download=true', at('main', 'a b.gguf')],
  ['https://huggingface.co/org/name/resolve/main/X.Q6_K.gguf.part1of2', at('main', 'X.Q6_K.gguf.part1of2')],
  ['https://huggingface.co/org/name/blob/main/config.json', at('main')],
  ['https://huggingface.co/org/name/blob/main/model-00001-of-00002.safetensors', at('main')],
  ['https://huggingface.co/org/name/commit/0ce09609160932a12b8a5c857970867ec1cfc844', at('0ce09609160932a12b8a5c857970867ec1cfc844')],
  ['https://huggingface.co/org/name/commits/main', at('main')],
  ['https://huggingface.co/org/name/commits/main/X-Q4_0.gguf', at('main', 'X-Q4_0.gguf')],
  ['https://huggingface.co/org/name/blame/main/config.json', at('main')],
  ['https://huggingface.co/org/name/discussions', model],
  ['https://huggingface.co/org/name/discussions/12#6583', model],
  ['hf.co/org/name:Q4_K_M', { ...model, selector: 'Q4_K_M' }],
  ['HF.co/org/name@v1:Q4_K_M', at('v1', 'Q4_K_M')],
  ['hf://org/name', model],
  ['hf://models/org/name', model],
  ['hf://org/name@v1/FILE.gguf', at('v1', 'FILE.gguf')],
  ['hf://org/name@refs%2Fpr%2F1/FILE.gguf', at('refs/pr/1', 'FILE.gguf')],
  ['hf://org/name@v1/config.json', at('v1')],
  ['"org/name"', model],
  ["'https://huggingface.co/org/name/tree/main/'", at('main')],
  ['`org/name:Q4_K_M`', { ...model, selector: 'Q4_K_M' }],
  ['<https://huggingface.co/org/name>', model],
  ['“org/name@v1” ', at('v1')],
  ['ollama run hf.co/org/name:Q4_K_M', { ...model, selector: 'Q4_K_M' }],
  ['$ ollama pull "huggingface.co/org/name"', model],
  ['ollama run hf.co/org/name:latest', model],
  ['llama-server -hf org/name:Q8_0', { ...model, selector: 'Q8_0' }],
  ['hf download org/name', model],
  ['skulk download org/name@v1:Q4_K_M', at('v1', 'Q4_K_M')],
  ['hf://org/name/FILE.gguf', { ...model, selector: 'FILE.gguf' }],
])('%s has the same meaning as its parts', (text, parts) => {
  expect(parseModelRef(text)).toEqual(parts);
  expect(splitRef(text)).toEqual({ revision: undefined, selector: undefined, ...parts });
});

test.each([
  ['http://evil.example/org/name', 'BAD_MODEL_ID'],
  ['https://huggingface.co.evil.example/org/name', 'BAD_MODEL_ID'],
  ['ftp://huggingface.co/org/name', 'BAD_MODEL_ID'],
  ['https://huggingface.co/', 'BAD_MODEL_ID'],
  ['https://huggingface.co/datasets/org/name', 'BAD_MODEL_ID'],
  ['https://huggingface.co/org/na%2Fme', 'BAD_MODEL_ID'],
  ['https://huggingface.co/org/name/tree/%2e%2e', 'USAGE'],
  ['https://huggingface.co/org/name/blob/main/%2e%2e/x.gguf', 'BAD_PATH'],
  ['https://huggingface.co/org/name/resolve/main/..%2f..%2fx.gguf', 'BAD_PATH'],
  ['hf://org/--name', 'BAD_MODEL_ID'],
  ['org/name/../x.gguf', 'BAD_PATH'],
  ['"org/name', 'BAD_MODEL_ID'],
  ['rm -rf org/name', 'BAD_MODEL_ID'],
  ['ollama run hf.co/org/name --verbose', 'BAD_MODEL_ID'],
  ['a/b/c', 'BAD_MODEL_ID'],
  ['a/b/c/d.bin', 'BAD_MODEL_ID'],
])('%s is refused (%s)', (text, code) => {
  expect(() => parseModelRef(text)).toThrow(expect.objectContaining({ code, hint: expect.any(String) }));
});

test('any text behind a pasted address is parsed or refused with a hint', () => {
  const piece = fc.constantFrom('org', 'name', '/', '@', ':', 'tree', 'blob', 'main', '%2F', '%', '..', '?x', '#', 'a.gguf', ' ', 'refs');
  const text = fc.tuple(
    fc.constantFrom('https://huggingface.co/', 'hf.co/', 'hf://', ''),
    fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, ([host, path]) => {
      try {
        const { modelId, revision = '', selector = '' } = parseModelRef(host + path);
        // Two dots are part of many names; alone between slashes they lead out of a directory.
        expect([modelId, revision, selector].flatMap((part) => part.split('/'))).not.toContain('..');
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(BAD_MODEL_ID|BAD_PATH|USAGE)$/) });
      }
    }),
    { seed: testSeed, numRuns: 1_000 },
  );
});

test.each([
  ['org/name:', 'the selector is empty'],
  ['org/name:Q4 K', '"Q4 K" is not a selector'],
])('the refusal of %s explains the error in the selector', (text, message) => {
  expect(() => parseModelRef(text)).toThrow(message);
});
