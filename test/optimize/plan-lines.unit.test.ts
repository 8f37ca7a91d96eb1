import { expect, test } from 'vitest';
import { optimize } from '../../src/commands/optimize.ts';

test('the plan of an optimization says that its program and its disk are on the store host, because a node may ask for it', async () => {
  const plan = async () => ({
    modelId: 'org/m',
    targetId: 'org/m-Q4_K_M-GGUF',
    type: 'Q4_K_M',
    engine: 'llama',
    engineVersion: null,
    program: '/usr/bin/llama-quantize',
    bits: 4.8,
    bytes: 1024,
    is_exact: true,
    source_bytes: 4096,
    room_bytes: 1024,
    free_bytes: 2048,
    files: ['m.gguf'],
    warnings: [],
    state: 'new',
  });
  const deps = async () => ({ store: {}, optimizations: { plan } });
  const { text } = await optimize.execute({ model: ['org/m'], dryRun: [''] }, { deps } as never);
  expect(text).toContain('engine    llama, /usr/bin/llama-quantize on the store host');
  expect(text).toContain('disk      1.00 KiB needed, 2.00 KiB free on the store host');
});

const bad = { path: 'm-Q4_K_M.gguf', reason: 'it is empty', selector: null };
const isHint = { aside: true, indent: 2, line: [expect.stringContaining('`skulk verify org/v` lists the files')] };
test.each([
  [[bad], [{ line: ['no program can load it: "m-Q4_K_M.gguf" is empty'], indent: 2 }, isHint]],
  [undefined, [{ aside: true, line: ['next: skulk stage org/v'] }]],
])('a variant with the problems %j ends with what to do next', async (problems, lines) => {
  const made = { targetId: 'org/v', modelId: 'org/m', status: 'complete', type: 'Q4_K_M', engine: 'llama', engineVersion: null };
  const optimizations = { ask: async () => ({ ...made, achievedBpw: null, estimatedSizeMb: null, warnings: [] }) };
  const store = { manifest: async () => ({ state: 'ready', problems }) };
  const deps = async () => ({ store, optimizations, world: { signal: new AbortController().signal } });
  const { text } = await optimize.execute({ model: ['org/m'] }, { deps } as never);
  expect(text.slice(2)).toEqual(lines);
});
