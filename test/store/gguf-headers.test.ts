import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import type { RegistryEntry } from '../../src/core/protocol/models/entries.ts';
import { createHeaderReader } from '../../src/core/store/facts/known-gguf-headers.ts';
import { readGgufHeader, readHeaderOfBytes } from '../../src/core/store/facts/read-gguf-facts.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { type GgufValue, ggufBytes } from '../helpers/gguf-bytes.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { isLong, longTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { writeTinyLlama } from '../helpers/tiny-llama.ts';
import { within } from '../helpers/waiting.ts';

/** The template of Qwen and many others. */
const chatml =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

const withTemplate = (template: string, more: Readonly<Record<string, GgufValue>> = {}): Buffer =>
  ggufBytes({ 'general.architecture': 'llama', 'general.file_type': 15, ...more, 'tokenizer.chat_template': template });

async function headerOf(bytes: Buffer) {
  const path = join(await temporaryDirectory(), 'm.gguf');
  await writeFile(path, bytes);
  return (await within('the look at the file', readGgufHeader(path))).header;
}

test('a chat template is converted to one for Ollama, with the stop texts', async () => {
  const header = await headerOf(
    withTemplate(chatml, {
      'llama.context_length': 4096,
      'tokenizer.ggml.tokens': ['<s>', '</s>', '<|im_end|>'],
      'tokenizer.ggml.eos_token_id': 2,
    }),
  );
  expect(header).toMatchObject({ architecture: 'llama', fileType: 'Q4_K_M', contextLength: 4096 });
  expect(header.chat).toEqual({ chat_template: chatml, eos_token: '<|im_end|>' });
  expect(header.ollama?.template).toContain('{{ .Prompt }}');
  expect(header.ollama?.template).toContain('<|im_start|>');
  expect(header.ollama?.stop).toContain('<|im_end|>');
});

test('the number of parameters of a model is that of its tensors', async () => {
  const path = join(await temporaryDirectory(), 'm.gguf');
  await writeTinyLlama(path);
  const { header } = await readGgufHeader(path);
  expect(header.architecture).toBe('llama');
  expect(header.parameters).toBeGreaterThan(50_000);
  expect(header.parameters).toBeLessThan(100_000);
});

test('the first bytes of a file give the same facts as the file, unless its head is longer', async () => {
  const long = 'x'.repeat(1_500_000);
  const head = withTemplate(chatml, { 'general.a': long, 'general.b': long, 'general.c': long, 'general.d': long });
  const size = head.length + 100_000_000;
  expect(head.length).toBeGreaterThan(5_000_000);
  const all = Buffer.concat([head, Buffer.alloc(4_000_000)]);
  expect(await readHeaderOfBytes(all, size)).toMatchObject({ architecture: 'llama', ollama: { stop: expect.any(Array) } });
  expect(await readHeaderOfBytes(all.subarray(0, 3_000_000), size)).toBeUndefined();
  const small = ggufBytes({ 'general.architecture': 'x' });
  expect(await readHeaderOfBytes(small, small.length)).toMatchObject({ architecture: 'x' });
  expect(await readHeaderOfBytes(Buffer.from('no GGUF'), 7)).toBeUndefined();
});

// It takes the whole limit, four seconds of a processor.
const endless = [
  'counts to ten thousand millions',
  '{% for a in range(100000) %}{% for b in range(100000) %}{% set c = a * b %}{% endfor %}{% endfor %}{{ x }}',
];

longTest.each([
  ...(isLong ? [endless] : []),
  ['is not Jinja', '{% for %}{{{{'],
  ['is for speech', 'outetts-1'],
  ['asks for a program', "{{ ''.__class__.__mro__ }}{{ require('fs') }}"],
  ['doubles itself', `{% set x = 'ab' %}${'{% set x = x + x %}'.repeat(40)}{{ x }}`],
])('a template that %s takes a limited time, and only the template is dropped', async (_, template) => {
  expect((await headerOf(withTemplate(template))).architecture).toBe('llama');
  expect((await headerOf(withTemplate(chatml))).ollama?.template).toContain('<|im_start|>');
});

test('the header of a file is remembered as long as the file is unchanged', async () => {
  const root = await temporaryDirectory();
  await writeFiles(join(root, 'org--m'), { 'a.gguf': withTemplate(chatml), 'b.gguf': withTemplate('{{ messages }}') });
  const entry = { model_id: 'org/m' as ModelId, store_path: 'org--m', files: ['a.gguf', 'b.gguf'] } as unknown as RegistryEntry;
  const layout = storeLayout(root);
  const read = createHeaderReader(layout);
  const [a, b] = await Promise.all([read(entry, 'a.gguf'), read(entry, 'b.gguf')]);
  expect(a?.ollama?.template).toContain('<|im_start|>');
  const file = join(layout.headers, 'org--m.json');
  const cached = JSON.parse(await readFile(file, 'utf8'));
  expect(Object.keys(cached).toSorted()).toEqual(['a.gguf', 'b.gguf']);
  cached['a.gguf'].header.architecture = 'from the cache';
  await writeFile(file, JSON.stringify(cached));
  expect(await createHeaderReader(layout)(entry, 'a.gguf')).toMatchObject({ architecture: 'from the cache' });
  expect(await createHeaderReader(layout)(entry, 'b.gguf')).toEqual(b);
  await writeFile(join(root, 'org--m', 'a.gguf'), withTemplate(chatml, { 'general.size_label': '8B' }));
  expect(await read(entry, 'a.gguf')).toMatchObject({ architecture: 'llama', sizeLabel: '8B' });
  await writeFile(file, 'not JSON');
  expect(await read(entry, 'b.gguf')).toEqual(b);
});
