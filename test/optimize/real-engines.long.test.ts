import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow } from '../helpers/model-files.ts';
import { fullSafetensors } from '../helpers/python-engines.ts';
import { fullWeights, llamaQuantize } from '../helpers/quantizer.ts';
import { wants } from '../helpers/wants.ts';

/*
 * Engines that a developer has installed: `SKULK_TEST_ENGINE_MLX=/path/to/mlx_lm.convert npm run test:engines`. The machines of the project
 * have none of them, so these tests are skipped there.
 */

/** Makes a variant of a small model with an engine, and checks it. @returns its directory */
async function makeWith(engine: 'llama' | 'mlx' | 'optiq', program: string): Promise<string> {
  const world = await hubWorld({ [`SKULK_ENGINE_${engine.toUpperCase()}`]: program });
  const source = engine === 'llama' ? await fullWeights('tiny', { layers: 2, width: 512 }) : await fullSafetensors();
  expect(await world.host('add', source, '--as', 'acme/Tiny')).toMatchObject({ status: 0 });
  const options = engine === 'llama' ? ['--type', 'Q4_K_M'] : [];
  const made = await world.host('optimize', 'acme/Tiny', '--engine', engine, ...options, '--json');
  expect(made, made.stderr).toMatchObject({ status: 0 });
  const { targetId, achievedBpw } = JSON.parse(made.stdout) as { targetId: string; achievedBpw: number };
  expect(achievedBpw).toBeGreaterThan(2);
  expect(achievedBpw).toBeLessThan(6);
  expect(await world.host('verify', targetId)).toMatchObject({ status: 0 });
  return join(world.storePath, targetId.replace('/', '--'));
}

test('llama-quantize makes the same file as the library of llama.cpp', wants('SKULK_TEST_ENGINE_LLAMA', 'llama-quantize'), async () => {
  const [real, library] = [await makeWith('llama', process.env['SKULK_TEST_ENGINE_LLAMA'] ?? ''), await makeWith('llama', llamaQuantize)];
  const file = (await readdir(real)).find((name) => name.endsWith('.gguf')) ?? '';
  expect((await digestsBelow(real))[file]).toBe((await digestsBelow(library))[file]);
});

test('mlx_lm.convert makes a model', wants('SKULK_TEST_ENGINE_MLX'), async () => {
  expect(await readdir(await makeWith('mlx', process.env['SKULK_TEST_ENGINE_MLX'] ?? ''))).toContain('model.safetensors');
});

test('optiq makes a model', wants('SKULK_TEST_ENGINE_OPTIQ'), async () => {
  expect(await readdir(await makeWith('optiq', process.env['SKULK_TEST_ENGINE_OPTIQ'] ?? ''))).toContain('optiq_metadata.json');
});
