import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  downloadFile,
  fileDownloadInfo,
  fileExists,
  listFiles,
  listModels,
  modelInfo,
  snapshotDownload,
  uploadFile,
} from '@huggingface/hub';
import { describe, expect, test, vi } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { writeTinyLlama } from '../helpers/tiny-llama.ts';
import { wants } from '../helpers/wants.ts';

const run = promisify(execFile);
const weights = noise(5_000_075, 1);
const odd = 'sub/deep/x y+é.json';
const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  decoder: null,
  model: { type: 'WordLevel', vocab: { hello: 0, world: 1, '[UNK]': 2 }, unk_token: '[UNK]' },
};
const files: Readonly<Record<string, string | Uint8Array>> = {
  '.gitattributes': '*.safetensors filter=lfs\n',
  'README.md': '---\npipeline_tag: text-generation\n---\n# Tiny\n',
  'config.json': '{"model_type":"llama"}',
  'empty.txt': '',
  'model.safetensors': weights,
  [odd]: '{"x":1}',
  'tokenizer.json': JSON.stringify(tokenizer),
  'tokenizer_config.json': '{"tokenizer_class":"PreTrainedTokenizerFast"}',
};

/** A store host with a model, and a node of this store. */
const lan = forWholeFile(async () => {
  const world = await hubWorld();
  await writeFiles(join(world.home, 'model'), files);
  expect(await world.host('add', join(world.home, 'model'), '--as', 'acme/tiny')).toMatchObject({ status: 0 });
  await mkdir(join(world.home, 'gguf'));
  await writeTinyLlama(join(world.home, 'gguf', 'tiny-Q4_K_M.gguf'));
  expect(await world.host('add', join(world.home, 'gguf'), '--as', 'acme/tiny-GGUF')).toMatchObject({ status: 0 });
  const host = await world.serveInProcess();
  const node = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: host.url } });
  const gguf = join(world.home, 'gguf', 'tiny-Q4_K_M.gguf');
  return { gguf, 'the file server': host.url, 'the API of the store host': host.apiUrl, 'the API of a node': node.apiUrl };
});
const servers = ['the file server', 'the API of the store host', 'the API of a node'] as const;

const repo = 'acme/tiny';
const collect = async <T>(all: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of all) found.push(one);
  return found;
};
const bytesOf = async (blob: Blob | null): Promise<Buffer> => Buffer.from((await blob?.arrayBuffer()) ?? new ArrayBuffer(0));

describe.each(servers)('a client with @huggingface/hub at %s', (server) => {
  test('lists, describes and finds the models of the store', async () => {
    const hubUrl = lan()[server];
    const listed = await collect(listFiles({ repo, recursive: true, hubUrl }));
    expect(listed.filter(({ type }) => type === 'file').map(({ path }) => path)).toEqual(Object.keys(files).toSorted());
    const info = await modelInfo({ name: repo, hubUrl, additionalFields: ['sha', 'cardData'] });
    expect(info).toMatchObject({ name: repo, task: 'text-generation', gated: false, private: false });
    expect(info.sha).toMatch(/^[0-9a-f]{40}$/);
    expect((await collect(listModels({ search: { query: 'TINY' }, hubUrl }))).map(({ name }) => name)).toEqual([repo, 'acme/tiny-GGUF']);
    expect(await fileExists({ repo, path: 'config.json', hubUrl })).toBe(true);
    expect(await fileExists({ repo, path: 'no.json', hubUrl })).toBe(false);
  });

  test('downloads files and parts of them, also empty files and files with unusual names', async () => {
    const hubUrl = lan()[server];
    expect(await fileDownloadInfo({ repo, path: 'model.safetensors', hubUrl })).toMatchObject({ size: weights.length });
    expect(await fileDownloadInfo({ repo, path: 'empty.txt', hubUrl })).toMatchObject({ size: 0 });
    expect(await fileDownloadInfo({ repo, path: 'none', hubUrl })).toBeNull();
    const blob = await downloadFile({ repo, path: 'model.safetensors', hubUrl });
    expect((await bytesOf(blob)).equals(weights)).toBe(true);
    expect((await bytesOf(blob?.slice(10, 20) ?? null)).equals(weights.subarray(10, 20))).toBe(true);
    expect((await bytesOf(await downloadFile({ repo, path: encodeURI(odd), hubUrl }))).toString()).toBe('{"x":1}');
  });

  test('makes a snapshot of the whole model, named by its commit, with the blobs that the Hub would name', async () => {
    const hubUrl = lan()[server];
    const cacheDir = await temporaryDirectory();
    const { sha = '' } = await modelInfo({ name: repo, hubUrl, additionalFields: ['sha'] });
    // It reports each file to its user.
    const told = vi.spyOn(console, 'debug').mockReturnValue();
    const snapshot = await snapshotDownload({ repo, hubUrl, cacheDir }).finally(() => told.mockRestore());
    expect(snapshot).toBe(join(cacheDir, 'models--acme--tiny', 'snapshots', sha));
    for (const [path, content] of Object.entries(files))
      expect((await readFile(join(snapshot, path))).equals(Buffer.from(content))).toBe(true);
    for (const name of await readdir(join(cacheDir, 'models--acme--tiny', 'blobs')))
      expect(name).toMatch(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
  });

  test('gets an error for an upload that names skulk add', async () => {
    const hubUrl = lan()[server];
    const upload = uploadFile({ repo, file: { path: 'x', content: new Blob(['x']) }, hubUrl, accessToken: 'hf_aaaa' });
    await expect(upload).rejects.toThrow('this store is read-only over the Hub protocol; use "skulk add"');
  });
});

const urlOf = (server: (typeof servers)[number], path: string) => `${lan()[server]}/${repo}/resolve/main/${path}`;
const partial = async (name: string): Promise<string> => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, name), weights.subarray(0, 1_000_000));
  return directory;
};

describe.each(servers)('programs that download by URL, at %s', (server) => {
  test('let curl resume a file, and recognize a complete one', async () => {
    const cwd = await partial('model.safetensors');
    const go = () => run('curl', ['-sSfL', '--noproxy', '*', '-C', '-', '-O', urlOf(server, 'model.safetensors')], { cwd });
    await go();
    expect((await readFile(join(cwd, 'model.safetensors'))).equals(weights)).toBe(true);
    // Some versions of curl treat 416 as a failure, and older ones as the end of the work.
    await go().catch((error: unknown) => expect(String(error)).toContain('416'));
    expect((await readFile(join(cwd, 'model.safetensors'))).equals(weights)).toBe(true);
    await run('curl', ['-sSfL', '--noproxy', '*', '-O', '-J', `${lan()[server]}/${repo}/resolve/main/sub/deep/x%20y%2B%C3%A9.json`], {
      cwd,
    });
    expect((await readdir(cwd)).filter((name) => name.startsWith('x y+'))).toHaveLength(1);
  });

  test('let wget resume a file', wants('wget'), async () => {
    const cwd = await partial('model.safetensors');
    await run('wget', ['-q', '--no-proxy', '-c', urlOf(server, 'model.safetensors')], { cwd });
    expect((await readFile(join(cwd, 'model.safetensors'))).equals(weights)).toBe(true);
  });

  test('let aria2 fetch the parts of a file over several connections', wants('aria2'), async () => {
    const cwd = await temporaryDirectory();
    await run('aria2c', ['-q', '-x', '8', '-s', '8', '-k', '1M', '--no-conf', urlOf(server, 'model.safetensors')], { cwd });
    expect((await readFile(join(cwd, 'model.safetensors'))).equals(weights)).toBe(true);
  });

  test('let node-llama-cpp find and download a model', wants('llama.cpp'), async () => {
    const script = fileURLToPath(new URL('../llama/resolve-model.js', import.meta.url));
    const directory = await temporaryDirectory();
    const { stdout } = await run(process.execPath, [script, lan()[server], 'hf:acme/tiny-GGUF/tiny-Q4_K_M.gguf', directory]);
    const { path } = JSON.parse(stdout) as { path: string };
    expect(sha256(await readFile(path))).toBe(sha256(await readFile(lan().gguf)));
  });

  test('let transformers.js load a configuration and a tokenizer', wants('transformers.js'), async () => {
    const script = fileURLToPath(new URL('../transformers/load-tokenizer.mjs', import.meta.url));
    const cache = join(await temporaryDirectory(), 'cache');
    await mkdir(cache);
    const { stdout } = await run(process.execPath, [script, lan()[server], repo, cache]);
    expect(JSON.parse(stdout)).toEqual({ model_type: 'llama', tokens: [0, 1] });
  });
});
