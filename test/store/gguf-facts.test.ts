import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readGgufFacts } from '../../src/core/store/facts/read-gguf-facts.ts';
import { ggufBytes, hugeList } from '../helpers/gguf-bytes.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { within } from '../helpers/waiting.ts';

const write = async (bytes: Buffer): Promise<string> => {
  const path = join(await temporaryDirectory(), 'm.gguf');
  await writeFile(path, bytes);
  return path;
};

usualTest('a GGUF file gives its facts', async () => {
  const metadata = {
    'general.architecture': 'qwen3',
    'qwen3.context_length': 40_960,
    'general.base_model.0.repo_url': 'https://huggingface.co/Qwen/Qwen3-4B',
    'tokenizer.ggml.tokens': Array.from({ length: 50_000 }, (_, index) => `token ${index}`),
    'tokenizer.chat_template': '{% if enable_thinking %}x{% endif %}',
  };
  expect(await readGgufFacts(await write(ggufBytes(metadata)))).toEqual({
    architecture: 'qwen3',
    contextLength: 40_960,
    baseModel: 'Qwen/Qwen3-4B',
    poolingType: undefined,
    thinks: true,
  });
});

usualTest.each([
  ['no GGUF', Buffer.from('not at all')],
  ['an empty file', Buffer.alloc(0)],
  ['2^60 keys', ggufBytes({ 'general.architecture': 'x' }, { keys: 2n ** 60n })],
  ['2^60 tensors', ggufBytes({ 'general.architecture': 'x' }, { tensors: 2n ** 60n })],
  ['2^60 texts', Buffer.concat([ggufBytes({}, { keys: 1n }), hugeList('tokens', 2n ** 60n)])],
  ['many texts that are not there', Buffer.concat([ggufBytes({}, { keys: 1n }), hugeList('tokens', 90_000_000n)])],
  ['many keys that are not there', Buffer.concat([ggufBytes({}, { keys: 900_000n }), Buffer.alloc(8_000_000)])],
  ['cut off', ggufBytes({ 'general.architecture': 'llama', 'llama.context_length': 5 }).subarray(0, 40)],
])('%s takes a limited time and gives no facts', async (_, bytes) => {
  const path = await write(bytes);
  expect((await within('the look at the file', readGgufFacts(path)))?.architecture).toBeUndefined();
  // The next one is read as usual.
  expect(await readGgufFacts(await write(ggufBytes({ 'general.architecture': 'llama' })))).toMatchObject({ architecture: 'llama' });
});

longTest('a template of 200 MB is skipped, and a link is not followed', async () => {
  const huge = ggufBytes({ 'general.architecture': 'llama', 'tokenizer.chat_template': `<think>${'x'.repeat(200_000_000)}` });
  expect((await readGgufFacts(await write(huge)))?.thinks).toBeUndefined();
  const path = await write(ggufBytes({ 'general.architecture': 'llama' }));
  await symlink(path, `${path}.link.gguf`);
  expect(await readGgufFacts(`${path}.link.gguf`)).toBeUndefined();
});

usualTest('registry and show print the facts of a file, and read it once', async () => {
  const home = await temporaryDirectory();
  await mkdir(join(home, 'm'));
  await writeFile(join(home, 'm', 'Emb-Q8_0.gguf'), ggufBytes({ 'general.architecture': 'nomic-bert', 'nomic-bert.context_length': 2048 }));
  const env = { SKULK_HOME: join(home, 'host') };
  expect((await runInProcess(['add', join(home, 'm'), '--as', 'org/emb'], { env })).status).toBe(0);
  for (let look = 0; look < 2; look += 1) {
    const { stdout } = await runInProcess(['registry', '--tag', 'embedding', '--json'], { env });
    expect(JSON.parse(stdout).entries).toMatchObject([
      { model_id: 'org/emb', family: 'nomic-bert', context_length: 2048, quantization: 'Q8_0' },
    ]);
  }
});
