import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runInProcess } from '../helpers/run-in-process.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

test('completion lists the models of the store and of this machine, and the quantizations of one', async () => {
  const { url, stop } = await serveModels({
    'org/m': { 'm-Q4_K_M.gguf': 'four', 'm-Q8_0.gguf': 'eight', 'a b.gguf': 'no label' },
    'org/plain': { 'model.safetensors': 'a' },
    'other/m': { 'm-Q4_0.gguf': 'a' },
  });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: url };
  const words = async (...args: string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await runInProcess(['completion', ...args], { env });
    expect([status, stderr]).toEqual([0, '']);
    return stdout.split('\n').filter((word) => word !== '');
  };
  expect(await words('models')).toEqual(['org/m', 'org/plain', 'other/m']);
  // The completion scripts ask like this before the first letter of a word.
  expect(await words('models', '--', '')).toEqual(['org/m', 'org/plain', 'other/m']);
  expect(await words('models', 'ORG/')).toEqual(['org/m', 'org/plain']);
  expect(await words('models', 'org/m:')).toEqual(['org/m:Q4_K_M', 'org/m:Q8_0']);
  expect(await words('models', 'org/m:q8')).toEqual(['org/m:Q8_0']);
  expect(await words('models', 'org/plain:')).toEqual([]);
  expect(await words('models', '--', '--json')).toEqual([]);
  expect(await words('tags', 'x')).toEqual([]);
  expect((await runInProcess(['stage', 'org/plain'], { env })).status).toBe(0);
  expect(await words('nodes')).toHaveLength(0);
  await stop();
  // A machine knows its own copies also without its store.
  expect(await words('models')).toEqual(['org/plain']);
  expect(await words('models', 'org/m:')).toEqual([]);
  expect(await words('nodes')).toEqual([]);
  expect((await runInProcess(['completion', 'models', '--json'], { env: { SKULK_HOME: join(env.SKULK_HOME, 'new') } })).stdout).toBe(
    '{"words":[]}\n',
  );
});
