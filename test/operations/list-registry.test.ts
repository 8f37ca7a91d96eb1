import { expect, test } from 'vitest';
import { runInProcess } from '../helpers/run-in-process.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('the registry lists models whose names contain every word, in the requested order', async () => {
  const { url } = await serveModels({
    'a/Qwen3-4B': { 'model.safetensors': 'x'.repeat(300), 'config.json': '{}' },
    'b/qwen-1B': { 'model.safetensors': 'x'.repeat(200) },
    'c/llama': { 'model.safetensors': 'x'.repeat(900), 'config.json': '{}', 'a.json': '{}' },
  });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: url };
  const ids = async (...args: string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await runInProcess(['registry', ...args, '--json'], { env });
    expect([status, stderr]).toEqual([0, '']);
    return (JSON.parse(stdout) as { entries: { model_id: string }[] }).entries.map(({ model_id }) => model_id);
  };
  expect(await ids()).toEqual(['a/Qwen3-4B', 'b/qwen-1B', 'c/llama']);
  expect(await ids('qwen', '--sort', 'size')).toEqual(['a/Qwen3-4B', 'b/qwen-1B']);
  expect(await ids('QWEN', '4b')).toEqual(['a/Qwen3-4B']);
  expect(await ids('b/')).toEqual(['b/qwen-1B']);
  expect(await ids('--sort', 'size')).toEqual(['c/llama', 'a/Qwen3-4B', 'b/qwen-1B']);
  expect(await ids('--sort=files')).toEqual(['c/llama', 'a/Qwen3-4B', 'b/qwen-1B']);
  expect(await ids('--sort', 'name')).toEqual(await ids());
  expect((await ids('--sort', 'added')).toSorted()).toEqual(await ids());
  const none = await runInProcess(['ls', 'mistral', '--tag', 'vision'], { env });
  expect(none).toMatchObject({ status: 0, stdout: '', stderr: 'no model matches "mistral" and the tag vision\n' });
  expect(await runInProcess(['registry', '--sort', 'colour'], { env })).toMatchObject({ status: 2, stdout: '' });
});

test('the registry finds a quantization, and no option depends on the case of its value', async () => {
  const { url } = await serveModels({
    'a/One-GGUF': { 'One-Q8_0.gguf': 'x', 'One-Q4_K_M.gguf': 'y' },
    'b/Two-GGUF': { 'Two-Q4_K_M.gguf': 'xyz' },
    'c/some-OptiQ': { 'model.safetensors': 'x' },
  });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: url };
  const ids = async (...args: string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await runInProcess(['registry', ...args, '--json'], { env });
    expect([status, stderr]).toEqual([0, '']);
    return (JSON.parse(stdout) as { entries: { model_id: string }[] }).entries.map(({ model_id }) => model_id);
  };
  expect(await ids('q8_0')).toEqual(['a/One-GGUF']);
  expect(await ids('two', 'Q4_K_M')).toEqual(['b/Two-GGUF']);
  expect(await ids('gguf', '--sort', 'Size')).toEqual(['b/Two-GGUF', 'a/One-GGUF']);
  expect(await ids('--tag', 'OptiQ')).toEqual(['c/some-OptiQ']);
});
