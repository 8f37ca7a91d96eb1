import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { digestsBelow } from '../helpers/model-files.ts';
import { runSkulk, startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { writeTinyLlama } from '../helpers/tiny-llama.ts';

const llamaScript = fileURLToPath(new URL('../helpers/run-in-llama.ts', import.meta.url));

/** Real GGUF files, where this project stands beside them. */
const realFiles = fileURLToPath(new URL('../../../shared/data/', import.meta.url));

describe('the main job, with the built program', () => {
  it('brings a real model from the store host to a node, where llama.cpp runs it', async () => {
    const work = await temporaryDirectory();
    const model = join(work, 'model');
    await mkdir(model);
    await writeTinyLlama(join(model, 'tiny-llama-F32.gguf'), { layers: 8, width: 1344 });
    expect((await stat(join(model, 'tiny-llama-F32.gguf'))).size).toBeGreaterThan(500e6);
    await using served = await startServe({ home: join(work, 'host') });
    const added = await runSkulk(['add', model, '--as', 'test/tiny-llama'], { env: { SKULK_HOME: join(work, 'host') } });
    expect(added).toMatchObject({ status: 0 });
    const staged = await runSkulk(['stage', 'test/tiny-llama'], { env: { SKULK_HOME: join(work, 'node'), SKULK_STORE: served.url } });
    expect(staged).toMatchObject({ status: 0, stdout: `${join(work, 'node', 'staging', 'test--tiny-llama')}\n` });
    const path = staged.stdout.trim();
    expect(await digestsBelow(path)).toEqual(await digestsBelow(model));
    const said = runInLlamaCpp(join(path, 'tiny-llama-F32.gguf'));
    if (said !== undefined) expect(said.length).toBeGreaterThan(0);
    const program = ['run', 'test/tiny-llama', '--', process.execPath, llamaScript, '{gguf}'];
    const ran = await runSkulk(program, { env: { SKULK_HOME: join(work, 'node'), SKULK_STORE: served.url } });
    expect(ran).toMatchObject({ status: 0 });
    if (said !== undefined) expect(JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '')).toEqual({ text: said });
  });

  it.skipIf(!existsSync(realFiles))('carries real GGUF files byte for byte, also one that is no good', async () => {
    const work = await temporaryDirectory();
    const model = join(work, 'model');
    await mkdir(model);
    for (const name of ['ggml-vocab-bert-bge.gguf', 'damaged.gguf']) await copyFile(join(realFiles, name), join(model, name));
    await using served = await startServe({ home: join(work, 'host') });
    expect(await runSkulk(['add', model, '--as', 'test/real'], { env: { SKULK_HOME: join(work, 'host') } })).toMatchObject({ status: 0 });
    const staged = await runSkulk(['stage', 'test/real'], { env: { SKULK_HOME: join(work, 'node'), SKULK_STORE: served.url } });
    expect(await digestsBelow(staged.stdout.trim())).toEqual(await digestsBelow(model));
  });
});

/** What the model says, or undefined, with the reason printed, where this platform has no llama.cpp. In a process of its own, as native code may crash. */
function runInLlamaCpp(path: string): string | undefined {
  const { status, stdout, stderr } = spawnSync(process.execPath, [llamaScript, path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`llama.cpp could not run the model (status ${status}): ${stderr}`);
  const said = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { text?: string; skipped?: string };
  if (said.skipped !== undefined) process.stderr.write(`llama.cpp was not run: ${said.skipped}\n`);
  return said.text;
}
