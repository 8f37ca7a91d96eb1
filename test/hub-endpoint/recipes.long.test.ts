import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { blocksOf, close, recipeWorld } from '../helpers/recipe-world.ts';
import { isLong } from '../helpers/seeded.ts';
import { wants } from '../helpers/wants.ts';

const files = {
  'Foo-Q4_K_M.gguf': Buffer.concat([ggufBytes({ 'general.architecture': 'llama' }), noise(12 * 1024 * 1024, 7)]),
  'config.json': '{"model_type":"llama"}',
};
const small = { 'config.json': '{"model_type":"bert"}', 'model.safetensors': noise(70_000, 8) };
/** With weights that are downloaded as a whole when one file is asked for. */
const large = { 'config.json': '{"model_type":"qwen3"}', 'empty.txt': '', 'model.safetensors': noise(11 * 1024 * 1024, 9) };
const gguf = sha256(files['Foo-Q4_K_M.gguf']);

const repos = { 'bartowski/Foo-GGUF': files, 'sentence-transformers/all-MiniLM-L6-v2': small };

const digestIn = async (cwd: string, path: string): Promise<string> => sha256(await readFile(join(cwd, path)));

const stores = [
  { which: 'fetches them meanwhile', isHeld: false },
  { which: 'holds them', isHeld: true },
];

// The short form has the store that does both.
describe.each(isLong ? stores : stores.slice(0, 1))('a store that $which', ({ isHeld }) => {
  test('serves every command of docs/recipes/curl.md the right files, as written there', wants('wget', 'aria2', 'jq'), async () => {
    const all = await recipeWorld(repos);
    const { world, shell } = all;
    if (isHeld) {
      for (const id of ['bartowski/Foo-GGUF', 'sentence-transformers/all-MiniLM-L6-v2'])
        expect((await world.host('download', id)).status).toBe(0);
    }
    const [one, several, withToken, check, etag, others, list, ...more] = await blocksOf('curl.md', 'sh');
    expect(more).toEqual([]);
    const { cwd } = await shell(one ?? '');
    expect(await digestIn(cwd, 'Foo-Q4_K_M.gguf')).toBe(gguf);
    const pair = await shell(several ?? '');
    for (const [path, content] of Object.entries(small)) expect(await digestIn(pair.cwd, `all-MiniLM-L6-v2/${path}`)).toBe(sha256(content));
    expect((await shell(etag ?? '')).stdout).toContain(gguf);
    expect((await shell(list ?? '')).stdout.split('\n')).toContain('Foo-Q4_K_M.gguf');
    const lines = (others ?? '').trim().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['wget', 'aria2c']);
    for (const line of lines) {
      const got = await shell(line);
      expect(await readdir(got.cwd)).toEqual(['Foo-Q4_K_M.gguf']);
      expect(await digestIn(got.cwd, 'Foo-Q4_K_M.gguf')).toBe(gguf);
    }
    await expect.poll(async () => (await world.host('show', 'bartowski/Foo-GGUF')).status).toBe(0);
    expect((await shell(check ?? '', { into: cwd })).stdout).toContain('Foo-Q4_K_M.gguf: OK');

    const token = await close(all);
    await expect(shell(one ?? '')).rejects.toThrow('401');
    expect(await digestIn((await shell(withToken ?? '', { token })).cwd, 'Foo-Q4_K_M.gguf')).toBe(gguf);
  });

  test('serves the JavaScript of docs/recipes/hf.md a whole snapshot, as written there', async () => {
    const all = await recipeWorld(repos);
    const commit = all.world.hub.push('Qwen/Qwen3-8B', { files: large });
    if (isHeld) expect((await all.world.host('download', 'Qwen/Qwen3-8B')).status).toBe(0);
    const [plain = '', withToken = '', ...more] = await blocksOf('hf.md', 'js');
    expect(more).toEqual([]);
    const modules = new URL('../../node_modules', import.meta.url);
    const runScript = async (block: string, token?: string): Promise<string> => {
      await rm(join(all.home, '.cache'), { recursive: true, force: true });
      const script = `node --input-type=module -e '\n${block.replaceAll("'", `'\\''`)}'`;
      await all.shell(script, { modules, ...(token !== undefined && { token }) });
      return join(all.home, '.cache/huggingface/hub/models--Qwen--Qwen3-8B/snapshots', commit);
    };
    const snapshot = await runScript(plain);
    for (const [path, content] of Object.entries(large)) expect(await digestIn(snapshot, path)).toBe(sha256(content));
    await expect.poll(async () => (await all.world.host('show', 'Qwen/Qwen3-8B')).status).toBe(0);
    const token = await close(all);
    await expect(runScript(plain)).rejects.toThrow('token');
    const closed = await runScript(withToken, token);
    for (const [path, content] of Object.entries(large)) expect(await digestIn(closed, path)).toBe(sha256(content));
  });

  test('serves node-llama-cpp its file with the commands of docs/recipes/llama-server.md', wants('llama.cpp'), async () => {
    const all = await recipeWorld(repos);
    if (isHeld) expect((await all.world.host('download', 'bartowski/Foo-GGUF')).status).toBe(0);
    const [plain = '', withToken = '', ...more] = (await blocksOf('llama-server.md', 'sh')).filter((one) => one.includes('npx'));
    expect(more).toEqual([]);
    const modules = new URL('../llama/node_modules', import.meta.url);
    const models = join(all.home, '.node-llama-cpp/models');
    const pulled = async (): Promise<readonly string[]> =>
      Promise.all((await readdir(models)).filter((name) => name.endsWith('.gguf')).map((name) => digestIn(models, name)));
    await all.shell(plain, { modules });
    expect(await pulled()).toEqual([gguf]);
    await rm(models, { recursive: true });
    await expect.poll(async () => (await all.world.host('show', 'bartowski/Foo-GGUF')).status).toBe(0);
    const token = await close(all);
    await expect(all.shell(plain, { modules })).rejects.toThrow();
    await all.shell(withToken, { modules, token });
    expect(await pulled()).toEqual([gguf]);
  });
});
