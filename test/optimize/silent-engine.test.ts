import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { createHostOptimizations } from '../../src/core/optimize/host-optimizations.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import { fullWeights, gatedQuantizer } from '../helpers/quantizer.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';
import { testWorld } from '../helpers/world.ts';

const modelId = parseModelId('acme/Tiny-GGUF');

/** A clock that only the test moves. */
function turnedClock() {
  let now = 0;
  const looks = new Set<() => void>();
  const every = (_: number, look: () => void) => {
    looks.add(look);
    return () => void looks.delete(look);
  };
  const turn = (ms: number): void => {
    now += ms;
    for (const look of looks) look();
  };
  return { clock: { now: () => now, every }, turn, watches: () => looks.size };
}

describe('an engine that prints nothing for ten minutes', wants('llama-quantize'), () => {
  test('is reported in the state of its job and in a warning, and continues', async () => {
    const home = await temporaryDirectory();
    const gated = await gatedQuantizer();
    const env = { SKULK_HOME: home, SKULK_ENGINE_LLAMA: gated.program };
    expect(await runInProcess(['add', await fullWeights(), '--as', modelId], { env })).toMatchObject({ status: 0 });
    const world = testWorld(home, { env });
    const store = openDiskStore({ root: join(home, 'store'), world, nodeId: undefined, cardsPath: undefined });
    const { clock, turn, watches } = turnedClock();
    const optimizations = createHostOptimizations({ store, world, clock });
    onTestFinished(async () => {
      await gated.open();
      await optimizations.close();
      await store.close();
    });
    await optimizations.ask({ modelId, type: 'Q4_0' });
    await gated.arrived();
    expect(watches()).toBe(1);
    const message = await until('the notice', async () => {
      turn(60_000);
      const status = await optimizations.status(modelId);
      expect(status.status).toBe('converting');
      return /^no output for/.test(status.message) ? status.message : undefined;
    });
    expect(message).toMatch(/^no output for \d+ minutes; llama may still be working$/);
    expect(world.warnings().filter((one) => one.includes('no output'))).toEqual([`making acme/Tiny-Q4_0-GGUF: ${message}`]);
    await gated.open();
    const done = await until('the end', async () => {
      const status = await optimizations.status(modelId);
      return status.status === 'complete' || status.status === 'failed' ? status : undefined;
    });
    expect([done.status, done.message, watches()]).toEqual(['complete', 'acme/Tiny-Q4_0-GGUF is in the store', 0]);
    expect(await gated.runs()).toBe(1);
  });
});
