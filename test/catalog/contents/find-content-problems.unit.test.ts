import { type FileHandle, mkdir, readFile, stat, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findContentProblems } from '../../../src/core/catalog/contents/find-content-problems.ts';
import { problemOfTensors } from '../../../src/core/catalog/contents/gguf-tensors.ts';
import { ggufBytes } from '../../helpers/gguf-bytes.ts';
import { writeFiles } from '../../helpers/model-files.ts';
import { safetensorsBytes } from '../../helpers/safetensors-bytes.ts';
import { temporaryDirectory } from '../../helpers/temp-directory.ts';
import { writeTinyLlama } from '../../helpers/tiny-llama.ts';

const { signal } = new AbortController();
const gguf = ggufBytes({ 'general.architecture': 'llama' });
const tensors = safetensorsBytes({ a: 8 });
const indexOf = (...shards: string[]): string =>
  JSON.stringify({ weight_map: Object.fromEntries(shards.map((shard, index) => [`layer.${index}`, shard])) });

async function look(files: Readonly<Record<string, string | Uint8Array>>): Promise<Record<string, string>> {
  const root = await temporaryDirectory();
  await writeFiles(root, files);
  const listed = Object.entries(files).map(([path, content]) => ({
    path,
    size: Buffer.byteLength(content),
    absolute: join(root, path),
  }));
  const problems = await findContentProblems(listed, signal);
  expect(problems.every(({ kind }) => kind === 'incomplete')).toBe(true);
  return Object.fromEntries(problems.map(({ path, reason }) => [path, reason]));
}

test.each<readonly [string, Readonly<Record<string, string | Uint8Array>>, Readonly<Record<string, string>>]>([
  [
    'whole models of every kind have no problem',
    { 'config.json': '{}', 'm.gguf': gguf, 'mmproj-F16.gguf': gguf, 'm.safetensors': tensors },
    {},
  ],
  [
    'an index that names shards which are not there',
    {
      'model.safetensors.index.json': indexOf('a.safetensors', 'b.safetensors', 'c.safetensors', 'a.safetensors'),
      'b.safetensors': tensors,
    },
    { 'model.safetensors.index.json': 'it names "a.safetensors", "c.safetensors", which are missing' },
  ],
  [
    'an index in a folder, whose shards are beside it',
    { 'text/model.safetensors.index.json': indexOf('a.safetensors'), 'text/a.safetensors': tensors, 'x/b.safetensors': tensors },
    {},
  ],
  [
    'an index beside the one file that is loaded before it',
    { 'model.safetensors': tensors, 'model.safetensors.index.json': indexOf('gone') },
    {},
  ],
  [
    'the index of copies that were left out',
    { 'm.safetensors': tensors, 'pytorch_model.bin.index.json': indexOf('pytorch_model-00001-of-00002.bin') },
    {},
  ],
  [
    'what is no index',
    { 'model.safetensors.index.json': '[]' },
    { 'model.safetensors.index.json': 'it cannot be read as an index of shards' },
  ],
  [
    'numbered shards with a hole, without an index',
    { 'm-00001-of-00003.safetensors': tensors, 'm-00003-of-00003.safetensors': tensors },
    { 'm-00001-of-00003.safetensors': 'it belongs with "m-00002-of-00003.safetensors", which is missing' },
  ],
  [
    'many missing shards are counted',
    { 'm-00001-of-00099.safetensors': tensors },
    {
      'm-00001-of-00099.safetensors':
        'it belongs with "m-00002-of-00099.safetensors", "m-00003-of-00099.safetensors", "m-00004-of-00099.safetensors" and 95 more, which are missing',
    },
  ],
  [
    'a GGUF group with a hole',
    { 'm-Q4_K_M-00001-of-00003.gguf': gguf, 'm-Q4_K_M-00003-of-00003.gguf': gguf, 'm-Q8_0.gguf': gguf },
    { 'm-Q4_K_M-00001-of-00003.gguf': 'it belongs with "m-Q4_K_M-00002-of-00003.gguf", which is missing' },
  ],
  [
    'parts that nobody has put together',
    { 'm.Q6_K.gguf.part1of2': gguf, 'm.Q6_K.gguf.part2of2': 'the rest' },
    { 'm.Q6_K.gguf.part1of2': 'it is a part of "m.Q6_K.gguf"; programs cannot load parts, so join them in order' },
  ],
  [
    'an archive',
    { 'm.gguf.zip': 'PK', 'n.gguf': gguf },
    { 'm.gguf.zip': 'it is a part of a file that was split in an unknown way; no program can load it' },
  ],
])('%s', async (_, files, expected) => {
  expect(await look(files)).toEqual(expected);
});

test('a file that cannot be opened is skipped, and an abort ends the check', async () => {
  const root = await temporaryDirectory();
  await mkdir(join(root, 'folder.gguf'));
  await symlink('nowhere', join(root, 'gone.gguf'));
  const files = ['folder.gguf', 'gone.gguf'].map((path) => ({ path, size: 5, absolute: join(root, path) }));
  expect((await findContentProblems(files.slice(1), signal)).length).toBe(0);
  await expect(findContentProblems(files, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});

test('a model that llama.cpp loads has no problem, and one that ends in its metadata has one', async () => {
  const root = await temporaryDirectory();
  const absolute = join(root, 'm.gguf');
  await writeTinyLlama(absolute);
  const { size } = await stat(absolute);
  expect(await findContentProblems([{ path: 'm.gguf', size, absolute }], signal)).toEqual([]);
  await truncate(absolute, 400);
  expect(await findContentProblems([{ path: 'm.gguf', size: 400, absolute }], signal)).toMatchObject([
    { path: 'm.gguf', reason: expect.stringContaining('truncated') },
  ]);
});

test('a GGUF file without the last bytes of its last tensor has a problem, wherever it was cut', async () => {
  const root = await temporaryDirectory();
  const absolute = join(root, 'm.gguf');
  await writeTinyLlama(absolute);
  const { size } = await stat(absolute);
  // No GGUF file of llama.cpp lacks the bytes behind its last tensor, and nothing reads them.
  for (const cut of [1, 33, 4000, 100_000, size - 9_000, size - 3_000, size - 400, size - 100]) {
    await truncate(absolute, size - cut);
    const problems = await findContentProblems([{ path: 'm.gguf', size: size - cut, absolute }], signal);
    expect([cut, problems]).toEqual([cut, [{ path: 'm.gguf', kind: 'incomplete', reason: expect.stringContaining('truncated') }]]);
    await writeTinyLlama(absolute);
  }
});

test('a damaged head of a GGUF file is read as far as possible, without an exception or an endless loop', async () => {
  const root = await temporaryDirectory();
  const absolute = join(root, 'm.gguf');
  await writeTinyLlama(absolute);
  const whole = await readFile(absolute);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(12_000), fc.nat(255)), { maxLength: 8 }), async (changes) => {
      const changed = Buffer.from(whole);
      for (const [at, byte] of changes) changed[at] = byte;
      const read = async (window: Buffer, offset: number, length: number, position: number) => ({
        bytesRead: changed.copy(window, offset, position, position + length),
        buffer: window,
      });
      const problem = await problemOfTensors({ read } as unknown as Pick<FileHandle, 'read'>, { size: changed.length, signal });
      if (changes.length === 0) expect(problem).toBeUndefined();
    }),
  );
});
