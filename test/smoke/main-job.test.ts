import { appendFile, mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { digestsBelow } from '../helpers/model-files.ts';
import { sized } from '../helpers/seeded.ts';
import { runSkulk, startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { writeTinyLlama } from '../helpers/tiny-llama.ts';
import { wants } from '../helpers/wants.ts';

const llamaScript = fileURLToPath(new URL('../llama/run-in-llama.js', import.meta.url));
/** A quarter of a megabyte, or half a gigabyte. */
const size = { layers: sized({ small: 1, large: 8 }), width: sized({ small: 64, large: 1344 }) };

/** A store host with a model of real GGUF files, one of them unusable, and a node that has staged it. */
async function stagedModel() {
  const work = await temporaryDirectory();
  const model = join(work, 'model');
  await mkdir(model);
  const [whole, damaged] = [join(model, 'tiny-llama-F32.gguf'), join(model, 'damaged/tiny-llama-F16.gguf')];
  await writeTinyLlama(whole, size);
  await mkdir(join(model, 'damaged'));
  await writeTinyLlama(damaged);
  await truncate(damaged, 100_000);
  await appendFile(damaged, 'no tensor');
  const served = await startServe({ home: join(work, 'host') });
  expect(await runSkulk(['add', model, '--as', 'test/tiny-llama'], { env: { SKULK_HOME: join(work, 'host') } })).toMatchObject({
    status: 0,
  });
  const env = { SKULK_HOME: join(work, 'node'), SKULK_STORE: served.url };
  const path = join(work, 'node', 'staging', 'test--tiny-llama');
  expect(await runSkulk(['stage', 'test/tiny-llama:F32', 'test/tiny-llama:F16'], { env })).toMatchObject({
    status: 0,
    stdout: `${path}\n${path}\n`,
  });
  return { model, env, path };
}

describe('the whole workflow with the built program', () => {
  test('copies a model from the store host to a node, byte for byte', async () => {
    const { model, path } = await stagedModel();
    expect(await digestsBelow(path)).toEqual(await digestsBelow(model));
  });

  test('lets llama.cpp run the staged model', wants('llama.cpp'), async () => {
    const { env } = await stagedModel();
    const program = ['run', 'test/tiny-llama:F32', '--', process.execPath, llamaScript, '{gguf}'];
    const { status, stdout, stderr } = await runSkulk(program, { env });
    expect(status, stderr).toBe(0);
    const said = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { text?: string; skipped?: string };
    if (said.skipped !== undefined) process.stderr.write(`llama.cpp was not run: ${said.skipped}\n`);
    else expect(said.text?.length).toBeGreaterThan(0);
  });
});
