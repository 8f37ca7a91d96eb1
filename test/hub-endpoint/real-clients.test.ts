import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { snapshotDownload } from '@huggingface/hub';
import { describe, expect, test, vi } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { blocksOf, close, recipeWorld } from '../helpers/recipe-world.ts';
import { safetensorsBytes } from '../helpers/safetensors-bytes.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { writeTinyLlama } from '../helpers/tiny-llama.ts';
import { until } from '../helpers/waiting.ts';
import { clientPath, wants } from '../helpers/wants.ts';

/*
 * Programs that are on few machines: those of Python, and llama.cpp. They are looked for in the directory that SKULK_TEST_CLIENTS names,
 * and in the PATH; tests of what is missing are left out.
 */

const run = promisify(execFile);
const python = (script: string, args: readonly string[], { cwd, env = {} }: { cwd: string; env?: Record<string, string> }) =>
  run('python3', [fileURLToPath(new URL(script, import.meta.url)), ...args], {
    cwd,
    env: { PATH: clientPath, HOME: cwd, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1', HF_HUB_DISABLE_PROGRESS_BARS: '1', ...env },
  });
const digestIn = async (cwd: string, path: string): Promise<string> => sha256(await readFile(join(cwd, path)));

const foo = async (): Promise<{ readonly 'Foo-Q4_K_M.gguf': Buffer; readonly 'config.json': string }> => {
  const path = join(await temporaryDirectory(), 'Foo-Q4_K_M.gguf');
  await writeTinyLlama(path);
  return { 'Foo-Q4_K_M.gguf': await readFile(path), 'config.json': '{}' };
};

const states = [
  { which: 'holds them', isHeld: true },
  { which: 'fetches them meanwhile', isHeld: false },
] as const;

describe.each(states)('a store that $which', ({ isHeld }) => {
  test('gives hf and Python a whole model by the commands of docs/recipes/hf.md', wants('hf', 'huggingface_hub'), async () => {
    const model = { 'config.json': '{"model_type":"qwen3"}', 'empty.txt': '', 'model.safetensors': noise(11 * 1024 * 1024, 9) };
    const gguf = await foo();
    const all = await recipeWorld({ 'Qwen/Qwen3-8B': model, 'bartowski/Foo-GGUF': gguf });
    const { world, home, shell } = all;
    if (isHeld) for (const id of ['Qwen/Qwen3-8B', 'bartowski/Foo-GGUF']) expect((await world.host('download', id)).status).toBe(0);
    const [plain = '', one = '', withToken = '', ...more] = await blocksOf('hf.md', 'sh');
    expect(more).toEqual([]);
    const [inPython = ''] = await blocksOf('hf.md', 'python');
    const cache = join(home, '.cache/huggingface/hub');
    const snapshotOf = async (name: string): Promise<string> => {
      const [commit = ''] = await readdir(join(cache, name, 'snapshots'));
      return join(cache, name, 'snapshots', commit);
    };
    const requireModel = async (): Promise<void> => {
      const snapshot = await snapshotOf('models--Qwen--Qwen3-8B');
      for (const [path, content] of Object.entries(model)) expect(await digestIn(snapshot, path)).toBe(sha256(content));
    };
    await shell(plain);
    await requireModel();
    await shell(one);
    expect(await digestIn(await snapshotOf('models--bartowski--Foo-GGUF'), 'Foo-Q4_K_M.gguf')).toBe(sha256(gguf['Foo-Q4_K_M.gguf']));
    await shell('rm -rf ~/.cache');
    await shell(`python3 - <<'EOF'\n${inPython}EOF\n`);
    await requireModel();
    await shell('rm -rf ~/.cache');
    await until('the whole model', async () => (await world.host('show', 'Qwen/Qwen3-8B')).status === 0);
    const token = await close(all);
    await expect(shell(plain)).rejects.toThrow('401');
    await shell(withToken, { token });
    await requireModel();
    await shell(
      'HF_HUB_DISABLE_UPDATE_CHECK=1 HF_TOKEN="$SKULK_TOKEN" HF_ENDPOINT=http://192.168.1.10:58080 hf cache verify Qwen/Qwen3-8B',
      {
        token,
      },
    );
  });

  test('gives transformers a model that speaks by the commands of docs/recipes/transformers.md', wants('transformers'), async () => {
    const directory = join(await temporaryDirectory(), 'model');
    await mkdir(directory);
    await python('make-tiny-model.py', [directory], { cwd: directory });
    const names = (await readdir(directory)).filter((name) => /\.(?:json|safetensors)$/.test(name));
    const model = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name))] as const)));
    const { world, shell } = await recipeWorld({ 'Qwen/Qwen3-8B': model });
    if (isHeld) expect((await world.host('download', 'Qwen/Qwen3-8B')).status).toBe(0);
    const [fromStore = '', staged = ''] = await blocksOf('transformers.md', 'sh');
    expect((await shell(fromStore)).stdout).toContain("'generated_text': 'Hello");
    // Files as small as these come alone, and no download follows.
    if (!isHeld) expect((await world.host('download', 'Qwen/Qwen3-8B')).status).toBe(0);
    expect((await shell(staged)).stdout).toContain("'generated_text': 'Hello");
  });

  test('gives llama-server a model by the commands of docs/recipes/llama-server.md', wants('llama-server'), async () => {
    const { world, start } = await recipeWorld({ 'bartowski/Foo-GGUF': await foo() });
    if (isHeld) expect((await world.host('download', 'bartowski/Foo-GGUF')).status).toBe(0);
    const [fromStore = '', staged = ''] = await blocksOf('llama-server.md', 'sh');
    for (const block of [fromStore, staged]) {
      const port = await freePort();
      const { output, end } = start(block.replace('--port 8080', `--port ${port}`), { LLAMA_ARG_PORT: port });
      await until(
        'llama-server',
        () => {
          expect(output()).not.toContain('ended with');
          return output().includes('listening on');
        },
        output,
      );
      const answer = await fetch(`http://127.0.0.1:${port}/completion`, { method: 'POST', body: '{"prompt":"a","n_predict":1}' });
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ tokens_predicted: 1 })]);
      await end();
      if (!isHeld) expect((await world.host('download', 'bartowski/Foo-GGUF')).status).toBe(0);
    }
  });
});

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

const files = {
  'config.json': '{"model_type":"llama"}',
  'empty.txt': '',
  'model.safetensors': safetensorsBytes({ a: 200_000, b: 10 }),
  'sub/deep/x y+é.json': '{"x":1}',
};

test('huggingface_hub gets from every call of its API what the Hub would give it', wants('huggingface_hub'), async () => {
  const world = await hubWorld();
  world.hub.push('acme/gated', { files: { 'config.json': '{}' }, gated: true });
  await writeFiles(join(world.home, 'model'), files);
  expect(await world.host('add', join(world.home, 'model'), '--as', 'acme/tiny')).toMatchObject({ status: 0 });
  const host = await world.serve();
  const cwd = await temporaryDirectory();
  const { stdout } = await python('ask-hub.py', ['acme/tiny', 'acme/gated'], { cwd, env: { HF_ENDPOINT: host.url } });
  const said = JSON.parse(stdout) as Record<string, unknown>;
  const all = Object.keys(files).toSorted();
  const sha = String(said['sha']);
  expect(said).toMatchObject({
    snapshot: join(cwd, '.cache/huggingface/hub/models--acme--tiny/snapshots', sha),
    files: all,
    part: expect.arrayContaining([expect.stringContaining('config.json')]),
    directory: all,
    odd: '{"x":1}',
    empty: 0,
    'missing file': expect.stringMatching(/EntryNotFoundError$/),
    'missing repo': 'RepositoryNotFoundError',
    'missing revision': 'RevisionNotFoundError',
    gated: 'GatedRepoError',
    'data set': 'RepositoryNotFoundError',
    sizes: Object.fromEntries(Object.entries(files).map(([path, content]) => [path, content.length])),
    list_repo_files: all,
    list_repo_tree: ['config.json', 'empty.txt', 'model.safetensors', 'sub'],
    'list_repo_tree expanded': [sha],
    get_paths_info: ['config.json', 'sub'],
    refs: [sha],
    'pull requests': [],
    commits: [sha],
    list_models: ['acme/tiny'],
    exists: [true, true, false, false],
    auth_check: null,
    ls: ['config.json', 'empty.txt', 'model.safetensors', 'sub'].map((path) => `acme/tiny/${path}`),
    read: '{"model_type":"llama"}',
    tensors: ['a', 'b'],
    block: '00'.repeat(10),
  });
  for (const refused of ['whoami', 'upload']) expect(said[refused]).toMatch(/Error$/);
});

test('a cache that @huggingface/hub made is whole for huggingface_hub without a network', wants('huggingface_hub'), async () => {
  const world = await hubWorld();
  world.hub.push('acme/tiny', { files });
  const host = await world.serveInProcess();
  const cwd = await temporaryDirectory();
  const cacheDir = join(cwd, 'hub');
  const quiet = vi.spyOn(console, 'debug').mockReturnValue();
  const snapshot = await snapshotDownload({ repo: 'acme/tiny', hubUrl: host.url, cacheDir }).finally(() => quiet.mockRestore());
  const script = 'import huggingface_hub; print(huggingface_hub.snapshot_download("acme/tiny", local_files_only=True))';
  const { stdout } = await run('python3', ['-c', script], {
    cwd,
    env: { PATH: clientPath, HOME: cwd, HF_HUB_OFFLINE: '1', HF_HUB_CACHE: cacheDir },
  });
  expect(stdout.trim()).toBe(snapshot);
});
