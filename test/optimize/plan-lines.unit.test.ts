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
