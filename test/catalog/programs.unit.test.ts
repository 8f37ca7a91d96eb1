import { describe, expect, test } from 'vitest';
import { type Endpoint, type ProgramName, programNames, type UsedModel } from '../../src/core/catalog/programs/programs.ts';
import { listUses, usedSelector } from '../../src/core/catalog/programs/use-program.ts';

const open: Endpoint = { address: 'http://192.168.1.10:58080', needsToken: false };
const closed: Endpoint = { ...open, needsToken: true };
const gib = 2 ** 30;

const gguf: UsedModel = {
  modelId: 'me/Foo-GGUF',
  files: [
    { path: 'README.md', size: 3000 },
    { path: 'Foo-Q4_K_M.gguf', size: 4 * gib },
    { path: 'Foo-Q8_0-00001-of-00002.gguf', size: 4 * gib },
    { path: 'Foo-Q8_0-00002-of-00002.gguf', size: 4 * gib },
  ],
  baseModel: 'org/Foo',
};
const seeing: UsedModel = { ...gguf, files: [...gguf.files, { path: 'mmproj-F16.gguf', size: gib }] };
const tensors: UsedModel = {
  modelId: 'org/Foo',
  files: [
    { path: 'config.json', size: 900 },
    { path: 'model.safetensors', size: 8 * gib },
  ],
};
const mlx: UsedModel = { ...tensors, modelId: 'mlx-community/Foo-4bit' };

const use = (program: ProgramName, model: UsedModel, endpoint: Endpoint = open) => {
  const found = listUses(model, endpoint).find((one) => one.program === program);
  if (found === undefined) throw new Error(program);
  return found;
};
const hub = (program: ProgramName, model: UsedModel, endpoint?: Endpoint) => use(program, model, endpoint).hub;
const staged = (program: ProgramName, model: UsedModel) => use(program, model).staged;

describe('the command for a program that loads from the store', () => {
  test.each<[ProgramName, UsedModel, string]>([
    [
      'transformers',
      tensors,
      `python3 -c 'from transformers import pipeline; model = pipeline("text-generation", "org/Foo"); print(model("Hello"))'`,
    ],
    ['vllm', tensors, 'vllm serve org/Foo'],
    ['vllm', gguf, 'vllm serve me/Foo-GGUF:Q4_K_M --tokenizer org/Foo'],
    ['mlx', mlx, 'mlx_lm.generate --model mlx-community/Foo-4bit --prompt Hello'],
    ['hf', tensors, 'hf download org/Foo'],
    ['hf', seeing, 'hf download me/Foo-GGUF Foo-Q4_K_M.gguf mmproj-F16.gguf'],
    ['hf', { modelId: 'me/x', files: [{ path: '-x.gguf', size: 1 }] }, 'hf download -- me/x -x.gguf'],
    ['hf', { ...gguf, selector: 'Q8_0' }, 'hf download me/Foo-GGUF Foo-Q8_0-00001-of-00002.gguf Foo-Q8_0-00002-of-00002.gguf'],
  ])('of %s never sends a Hugging Face token', (program, model, line) => {
    expect(hub(program, model).lines).toEqual([`HF_ENDPOINT=http://192.168.1.10:58080 HF_HUB_DISABLE_IMPLICIT_TOKEN=1 \\`, `  ${line}`]);
    expect(hub(program, model, closed).lines).toEqual([`HF_ENDPOINT=http://192.168.1.10:58080 HF_TOKEN="$SKULK_TOKEN" \\`, `  ${line}`]);
  });

  test.each<[UsedModel, string]>([
    [gguf, 'llama-server -hf me/Foo-GGUF:Q4_K_M'],
    [{ ...gguf, selector: 'q8_0' }, 'llama-server -hf me/Foo-GGUF:Q8_0'],
    [{ modelId: 'me/x', files: [{ path: 'sub/plain.gguf', size: 1 }] }, 'llama-server -hf me/x --hf-file sub/plain.gguf'],
  ])('of llama-server names the quantization and clears HF_TOKEN', (model, line) => {
    expect(hub('llama-server', model).lines).toEqual(['HF_ENDPOINT=http://192.168.1.10:58080 HF_TOKEN= \\', `  ${line}`]);
  });

  test('of Ollama names the server and a tag that the server knows', () => {
    expect(hub('ollama', gguf).lines).toEqual([
      'ollama pull --insecure 192.168.1.10:58080/me/Foo-GGUF:Q4_K_M',
      'ollama run 192.168.1.10:58080/me/Foo-GGUF:Q4_K_M',
    ]);
    expect(hub('ollama', gguf, { ...open, address: 'https://models.lan' }).lines?.[0]).toBe('ollama pull models.lan/me/Foo-GGUF:Q4_K_M');
    expect(hub('ollama', { modelId: 'me/x', files: [{ path: 'sub/plain.gguf', size: 1 }] }).lines?.[0]).toMatch(/me\/x:plain$/);
  });

  test('of curl names every needed file, escaped in the URL and quoted for the shell', () => {
    const files = [{ path: 'sub/a b+ü’s.json', size: 1 }];
    expect(hub('curl', { modelId: 'org/x', files }, closed).lines).toEqual([
      'curl --fail --globoff --continue-at - --create-dirs -H "Authorization: Bearer $SKULK_TOKEN" \\',
      `  --output './x/sub/a b+ü’s.json' http://192.168.1.10:58080/org/x/resolve/main/sub/a%20b%2B%C3%BC%E2%80%99s.json`,
    ]);
    expect(hub('curl', gguf).lines?.slice(1)).toEqual([
      '  --output ./Foo-Q4_K_M.gguf http://192.168.1.10:58080/me/Foo-GGUF/resolve/main/Foo-Q4_K_M.gguf',
    ]);
  });
});

describe('the command for a staged copy', () => {
  test.each<[ProgramName, UsedModel, readonly string[]]>([
    ['vllm', tensors, ['skulk run org/Foo -- \\', '  vllm serve {path} --served-model-name org/Foo']],
    ['llama-server', gguf, ['skulk run me/Foo-GGUF:Q4_K_M -- \\', '  llama-server -m {gguf} --port 8080']],
    ['llama-server', seeing, ['skulk run me/Foo-GGUF:Q4_K_M -- \\', '  llama-server -m {gguf} --mmproj {mmproj} --port 8080']],
    ['mlx', mlx, ['skulk run mlx-community/Foo-4bit -- \\', '  mlx_lm.server --model {path} --port 8080']],
    ['lmstudio', gguf, ['lms import "$(skulk stage --print gguf me/Foo-GGUF:Q4_K_M)" --hard-link --user-repo me/Foo-GGUF --yes']],
    [
      'ollama',
      gguf,
      [`printf 'FROM %s\\n' "$(skulk stage --print gguf me/Foo-GGUF:Q4_K_M)" > Modelfile`, 'ollama create foo-gguf -f Modelfile'],
    ],
  ])('works for %s', (program, model, lines) => expect(staged(program, model).lines).toEqual(lines));

  test('of LM Studio imports every file of a quantization with several files', () => {
    expect(staged('lmstudio', { ...gguf, selector: 'Q8_0' }).lines?.join('\n')).toMatch(
      /--print files me\/Foo-GGUF:Q8_0 \|[\s\S]*lms import "\$file"/,
    );
  });

  test('of transformers doubles braces, which skulk run would replace otherwise', () => {
    const model = { modelId: 'me/x', files: [{ path: '{path}.gguf', size: 1 }] };
    expect(staged('transformers', model).lines?.[1]).toContain('gguf_file="{{path}.gguf"');
  });
});

describe('a program that cannot load a model gives the reason', () => {
  test.each<[ProgramName, UsedModel, Endpoint, RegExp]>([
    ['ollama', tensors, open, /^Ollama loads GGUF weights, and org\/Foo has none\.$/],
    ['ollama', { ...gguf, selector: 'Q8_0' }, open, /split GGUF file/],
    ['ollama', gguf, closed, /does not send one/],
    ['ollama', { ...gguf, modelId: 'x.ai/Foo' }, open, /does not accept the dot in the organization x\.ai/],
    ['ollama', gguf, { ...open, address: 'http://[::1]:58080' }, /IPv6/],
    ['ollama', { ...gguf, modelId: `me/${'x'.repeat(90)}` }, open, /does not accept the name/],
    ['llama-server', tensors, open, /^llama\.cpp loads GGUF weights/],
    ['llama-server', { ...gguf, modelId: 'Foo' }, open, /an organization/],
    ['llama-server', gguf, closed, /only Hugging Face tokens/],
    ['lmstudio', gguf, open, /ignores HF_ENDPOINT/],
    ['lmstudio', tensors, open, /loads GGUF weights/],
    ['mlx', gguf, open, /^MLX loads safetensors/],
    ['vllm', mlx, open, /only MLX loads them/],
    ['transformers', mlx, open, /only MLX loads them/],
    ['transformers', { ...gguf, selector: 'Q8_0' }, open, /split GGUF file/],
    ['vllm', { modelId: 'me/x', files: [{ path: 'notes.txt', size: 1 }] }, open, /no weights/],
    ['hf', { ...tensors, files: [{ path: 'model.safetensors', size: 61e9 }] }, open, /^model\.safetensors has 61 GB.*50 GB/],
    ['curl', { ...tensors, files: Array.from({ length: 60 }, (_, at) => ({ path: `f${at}`, size: 1 })) }, open, /60 files/],
    ['curl', gguf, { address: undefined, needsToken: false }, /^No skulk server is running/],
    ['hf', gguf, { ...open, problem: 'the store is the Python program' }, /^The store is the Python program\.$/],
  ])('%s', (program, model, endpoint, says) => {
    expect(hub(program, model, endpoint)).toEqual({ problem: expect.stringMatching(says) });
  });

  test('a large file that only huggingface_hub refuses still has commands for curl and for a staged copy', () => {
    const large = { ...tensors, files: [{ path: 'model.safetensors', size: 61e9 }] };
    expect(hub('curl', large).lines).toBeDefined();
    expect(staged('vllm', large).lines).toBeDefined();
    expect(hub('llama-server', { modelId: 'me/x', files: [{ path: 'x-Q4_K_M.gguf', size: 61e9 }] }).lines).toBeDefined();
  });

  test('the reason is one line, regardless of the file names', () => {
    const model = { modelId: 'me/x', files: [{ path: 'a\nrm -rf b.safetensors', size: 61e9 }] };
    for (const { hub, staged } of listUses(model, open)) expect(`${hub.problem}${staged.problem}`).not.toMatch(/\n/);
  });
});

test('MLX weights are recognized by their name, and weights that MLX did not quantize are for all programs', () => {
  expect(hub('vllm', { ...tensors, modelId: 'mlx-community/Foo-bf16' }).lines).toBeDefined();
  expect(hub('vllm', { ...tensors, modelId: 'me/Foo-MLX-8bit' }).problem).toBeDefined();
  expect(hub('vllm', { ...tensors, modelId: 'me/mlxologist' }).lines).toBeDefined();
});

test('the base model of a card is used only if it is a model id', () => {
  for (const baseModel of ['$(reboot)', '--help', 'a/b/c', '', null])
    expect(hub('vllm', { ...gguf, baseModel }).lines?.[1]).toBe('  vllm serve me/Foo-GGUF:Q4_K_M');
});

test('every program has a pitfall of one sentence, and its text names the selected quantization', () => {
  for (const model of [gguf, seeing, tensors, mlx]) {
    const uses = listUses(model, open);
    expect(uses.map(({ program }) => program)).toEqual(programNames);
    for (const { pitfall } of uses) expect(pitfall).toMatch(/^[^\n]{20,200}\.$/);
  }
  expect([usedSelector(gguf), usedSelector({ ...gguf, selector: 'Q8_0' }), usedSelector(tensors)]).toEqual(['Q4_K_M', 'Q8_0', undefined]);
});
