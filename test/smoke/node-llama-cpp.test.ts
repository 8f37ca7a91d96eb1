import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { ownEnvironment } from '../helpers/own-environment.ts';
import { runSkulk, startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { wants } from '../helpers/wants.ts';

const resolver = fileURLToPath(new URL('../llama/resolve-in-llama.js', import.meta.url));

/** A GGUF without tensors, and a split one with its number of shards. */
const gguf = (seed: number, shard?: { readonly no: number; readonly count: number }): Buffer =>
  Buffer.concat([
    ggufBytes({
      'general.architecture': 'llama',
      ...(shard && { 'split.no': shard.no, 'split.count': shard.count, 'split.tensors.count': 0 }),
    }),
    noise(200_000, seed),
  ]);

const shardName = (no: number): string => `BF16/tiny-BF16-0000${no + 1}-of-00003.gguf`;

test('node-llama-cpp downloads a quantization, a split one and the best one, and reports a missing one', wants('llama.cpp'), async () => {
  const home = await temporaryDirectory();
  const files: Record<string, Buffer> = { 'tiny-Q8_0.gguf': gguf(1), 'tiny-Q4_K_M.gguf': gguf(2) };
  for (const no of [0, 1, 2]) files[shardName(no)] = gguf(no + 3, { no, count: 3 });
  await writeFiles(join(home, 'model'), files);
  expect((await runSkulk(['add', join(home, 'model'), '--as', 'acme/tiny-GGUF'], { env: { SKULK_HOME: home } })).status).toBe(0);
  const host = await startServe({ home });
  await using _ = host;
  const fetchModel = async (uri: string) => {
    const directory = join(home, 'fetched', encodeURIComponent(uri));
    await mkdir(directory, { recursive: true });
    const env = ownEnvironment({ HF_ENDPOINT: `${host.url}/`, HOME: home });
    const { stdout } = await promisify(execFile)(process.execPath, [resolver, uri, directory], { env });
    const said = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { path?: string; error?: string };
    return { ...said, directory };
  };

  for (const [uri, name] of [
    ['hf:acme/tiny-GGUF:Q8_0', 'tiny-Q8_0.gguf'],
    ['hf:acme/tiny-GGUF:q8_0', 'tiny-Q8_0.gguf'],
    ['hf:acme/tiny-GGUF', 'tiny-Q4_K_M.gguf'],
  ] as const) {
    const { path = '', error } = await fetchModel(uri);
    expect([uri, error]).toEqual([uri, undefined]);
    expect((await readFile(path)).equals(files[name] as Buffer)).toBe(true);
  }
  const split = await fetchModel('hf:acme/tiny-GGUF:BF16');
  expect(split.error).toBeUndefined();
  const names = (await readdir(split.directory)).toSorted();
  expect(names).toHaveLength(3);
  for (const [no, name] of names.entries())
    expect((await readFile(join(split.directory, name))).equals(files[shardName(no)] as Buffer)).toBe(true);
  expect((await fetchModel('hf:acme/tiny-GGUF:Q2_K')).error).toContain('Cannot get quantization "Q2_K"');
  expect((await fetchModel('hf:acme/none:Q8_0')).error).toContain('does not exist');
});
