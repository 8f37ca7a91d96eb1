import { describe, expect, test } from 'vitest';
import { loadAll } from '../../src/cli/load-all.ts';
import { commandLoaders } from '../../src/commands/index.ts';

const commands = await loadAll(commandLoaders);

/** Every position of a command line that takes a model; the registry is searched by a part of a name. */
const places = commands
  .filter(({ name }) => name !== 'registry')
  .flatMap(({ name, arguments: args, options }) =>
    Object.entries({ ...args, ...options })
      .filter(([, { completes }]) => completes === 'models')
      .map(([key, spec]) => ({ place: `${name} ${key}`, read: (text: string) => [spec.read([text])].flat()[0] })),
  );

const model = { modelId: 'org/x' };
const forms = [
  ['org/x', model],
  [' org/x/ ', model],
  ['org/x:q5_k_m', { ...model, selector: 'q5_k_m' }],
  ['org/x@v1:sub/x-Q4_0.gguf', { ...model, revision: 'v1', selector: 'sub/x-Q4_0.gguf' }],
  ['https://huggingface.co/org/x', model],
  ['https://huggingface.co/org/x/tree/main', { ...model, revision: 'main' }],
  ['https://huggingface.co/org/x/blob/main/x-Q4_0.gguf', { ...model, revision: 'main', selector: 'x-Q4_0.gguf' }],
  ['https://huggingface.co/org/x/resolve/main/x-Q4_0.gguf?download=true', { ...model, revision: 'main', selector: 'x-Q4_0.gguf' }],
  ['https://hf.co/org/x/tree/v1/', { ...model, revision: 'v1' }],
  ['"org/x:Q4_K_M"', { ...model, selector: 'Q4_K_M' }],
  ["'https://huggingface.co/org/x'", model],
  ['ollama run hf.co/org/x:Q4_K_M', { ...model, selector: 'Q4_K_M' }],
  ['hf.co/org/x:Q4_K_M/', { ...model, selector: 'Q4_K_M' }],
  ['hf.co/org/x:Q4_K_M', { ...model, selector: 'Q4_K_M' }],
  ['hf://org/x', model],
  ['org/x/x-Q4_0.gguf', { ...model, selector: 'x-Q4_0.gguf' }],
] as const;

test('every command that takes a model is tested', () => {
  const verbs = [
    'activate',
    'cancel',
    'deactivate',
    'delete',
    'download',
    'downloads',
    'optimizations',
    'optimize',
    'purge-staging',
    'run',
    'show',
    'stage',
    'verify',
  ];
  expect([...new Set(places.map(({ place }) => place.split(' ')[0]))].toSorted()).toEqual(verbs);
});

describe.each(places)('$place', ({ read }) => {
  test.each(forms)('accepts %j', (text, parts) => expect(read(text)).toEqual(parts));
  test.each(['org/x/../y.gguf', 'http://evil.example/org/x', 'org/x:', 'a b'])('refuses %j', (text) => expect(() => read(text)).toThrow());
});

describe('add --as', () => {
  const as = commands.find(({ name }) => name === 'add')?.options['as'];
  test.each(['org/x', 'hf://org/x', 'https://huggingface.co/org/x'])('accepts %s', (text) => expect(as?.read([text])).toBe('org/x'));
  test.each([
    ['org/x:Q4_K_M', 'Q4_K_M names a part of a model', 'use --as org/x'],
    ['org/x/x-Q4_0.gguf', 'x-Q4_0.gguf names a part of a model', 'use --as org/x'],
    ['org/x@v1', 'the revision v1 cannot be', 'use --as org/x --revision v1'],
  ])('refuses %s with a clear message', (text, message, hint) => {
    expect(() => as?.read([text])).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message), hint }));
  });
});
