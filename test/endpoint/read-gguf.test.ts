import { expect, test } from 'vitest';
import type { GgufHeader } from '../../src/core/catalog/gguf-header.ts';
import type { HubFile, HubRepo } from '../../src/core/endpoint/contract.ts';
import { createGgufReader } from '../../src/core/endpoint/held/read-gguf.ts';

const file = (path: string, isHeld = true) => ({ path, size: 10, oid: '', isHeld }) as unknown as HubFile;
const repoOf = (...files: readonly HubFile[]) => ({ id: 'org/m', files }) as unknown as HubRepo;
const chat = { chat_template: 'hi', bos_token: '<s>' };

const readWith = (headers: Readonly<Record<string, GgufHeader>>, pin?: string) =>
  createGgufReader({
    ggufHeader: async (_, path) => headers[path],
    cardOf: async () => (pin === undefined ? undefined : ({ ggufFile: pin } as never)),
  });

test('a repo is described by its default quantization in the store', async () => {
  const read = readWith({
    'm-Q4_K_M.gguf': { architecture: 'llama', parameters: 100, contextLength: 4096, chat },
    'm-Q8_0.gguf': { architecture: 'other', parameters: 200 },
    'mmproj-F16.gguf': { architecture: 'clip' },
  });
  const repo = repoOf(file('m-Q4_K_M.gguf'), file('m-Q8_0.gguf'), file('mmproj-F16.gguf'), file('README.md'));
  expect(await read(repo)).toEqual({ total: 100, architecture: 'llama', context_length: 4096, ...chat });
  expect(await read(repoOf(file('m-Q4_K_M.gguf', false), file('m-Q8_0.gguf')))).toEqual({ total: 200, architecture: 'other' });
  expect(await read(repoOf(file('README.md'), file('m-Q4_K_M.gguf', false)))).toBeUndefined();
});

test('the file in the model card is preferred, and the sizes of shards are added', async () => {
  const [first, second] = ['m-Q8_0-00001-of-00002.gguf', 'm-Q8_0-00002-of-00002.gguf'];
  const headers = {
    [first]: { architecture: 'llama', parameters: 30 },
    [second]: { parameters: 40 },
    'm-Q4_K_M.gguf': { architecture: 'x' },
  };
  const repo = repoOf(file(first), file(second), file('m-Q4_K_M.gguf'));
  expect(await readWith(headers, first)(repo)).toEqual({ total: 70, architecture: 'llama' });
  expect(await readWith({ ...headers, [second]: {} }, first)(repoOf(file(first), file(second)))).toEqual({ architecture: 'llama' });
});

test('a file without metadata is not described, and an unreadable one causes no failure', async () => {
  expect(await readWith({ 'm.gguf': {} })(repoOf(file('m.gguf')))).toBeUndefined();
  const failing = createGgufReader({
    ggufHeader: async () => {
      throw new Error('away');
    },
    cardOf: async () => undefined,
  });
  expect(await failing(repoOf(file('m.gguf')))).toBeUndefined();
});
