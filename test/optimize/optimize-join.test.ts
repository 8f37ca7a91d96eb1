import { describe, expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { fullWeights, gatedQuantizer, lives } from '../helpers/quantizer.ts';
import { until, within } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';

const command = ['optimize', 'acme/Tiny-GGUF', '--type', 'Q4_0'] as const;

async function gatedStore() {
  const gated = await gatedQuantizer();
  const world = await hubWorld({ SKULK_ENGINE_LLAMA: gated.program });
  expect(await world.host('add', await fullWeights(), '--as', 'acme/Tiny-GGUF')).toMatchObject({ status: 0 });
  return { gated, world };
}

describe('an interrupted skulk optimize', wants('llama-quantize'), () => {
  test('leaves the work to the server, and the same command waits for it again', async () => {
    const { gated, world } = await gatedStore();
    await world.serveInProcess();
    const first = world.startHost(...command);
    const engine = await gated.arrived();
    // It waits for a job that has started, and reports this.
    await until('the command to wait', () => first.stderr().includes('acme/Tiny-Q4_0-GGUF') || undefined);
    first.child.kill('SIGINT');
    const cut = await within('the end of the command', first.exited);
    expect(cut).toMatchObject({ status: 130, stdout: '' });
    expect(cut.stderr).toMatch(/is still making acme\/Tiny-Q4_0-GGUF[\s\S]*same command[\s\S]*skulk cancel acme\/Tiny-Q4_0-GGUF/);
    expect(lives(engine)).toBe(true);
    const second = world.startHost(...command);
    await until('the second command to wait', () => second.stderr().includes('acme/Tiny-Q4_0-GGUF') || undefined);
    expect(await world.host(...command, '--no-wait')).toMatchObject({ status: 0, stdout: expect.stringContaining('converting') });
    expect(await world.host('optimize', 'acme/Tiny-GGUF', '--type', 'Q8_0', '--as', 'acme/Tiny-Q4_0-GGUF')).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('for another request'),
    });
    await gated.open();
    expect(await within('the end of the second command', second.exited)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('acme/Tiny-Q4_0-GGUF: in the store'),
    });
    expect(await gated.runs()).toBe(1);
  });

  test('ends the work if no server runs, reports this, and the same command starts it again', async () => {
    const { gated, world } = await gatedStore();
    const first = world.startHost(...command);
    const engine = await gated.arrived();
    await until('the command to wait', () => first.stderr().includes('acme/Tiny-Q4_0-GGUF') || undefined);
    first.child.kill('SIGTERM');
    const cut = await within('the end of the command', first.exited);
    expect(cut).toMatchObject({ status: 143, stdout: '', stderr: expect.stringMatching(/the work stopped[\s\S]*same command/) });
    expect(lives(engine)).toBe(false);
    await gated.open();
    expect(await world.host(...command)).toMatchObject({ status: 0 });
    expect(await gated.runs()).toBe(2);
  });
});
