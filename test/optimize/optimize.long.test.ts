import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow } from '../helpers/model-files.ts';
import { peakMemoryOf } from '../helpers/peak-memory.ts';
import { fullWeights, lives, llamaQuantize } from '../helpers/quantizer.ts';
import { rounds, seededRandom, testSeed } from '../helpers/seeded.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';
import './optimize.test.ts';

const mebibyte = 1024 * 1024;

/** What these tests read of the state of an optimization. */
interface Status {
  readonly status: string;
  readonly error: string | null;
  readonly progress: number;
  readonly message: string;
}

async function worldWith(size: { layers: number; width: number }) {
  const world = await hubWorld({ SKULK_ENGINE_LLAMA: llamaQuantize });
  expect(await world.host('add', await fullWeights('tiny', size), '--as', 'acme/Tiny-GGUF')).toMatchObject({ status: 0 });
  const place = join(world.storePath, '.skulk/v1/optimizations/work/acme--Tiny-Q4_K_M-GGUF');
  /** The process of a running engine, if any. */
  const enginePid = (): number | undefined => {
    try {
      return (JSON.parse(readFileSync(join(place, 'engine.json'), 'utf8')) as { pid: number }).pid;
    } catch {
      return undefined;
    }
  };
  const statusOf = async (apiUrl: string): Promise<Status> => {
    const answer = await fetch(`${apiUrl}/store/models/acme%2FTiny-GGUF/optimize/status`);
    const { status, error, progress, message } = (await answer.json()) as Status;
    return { status, error, progress, message };
  };
  /** Waits from one step of the work to the next, however long all of it takes. @returns the final state */
  const ended = async (apiUrl: string, onLook: (now: Status) => void = () => {}): Promise<Status> => {
    let last = '';
    for (;;) {
      const { status, ...now } = await until('the next step', async () => {
        const seen = await statusOf(apiUrl);
        onLook(seen);
        return JSON.stringify(seen) === last ? undefined : seen;
      });
      last = JSON.stringify({ status, ...now });
      if (status === 'complete' || status === 'failed') return { status, ...now };
    }
  };
  return { world, place, enginePid, statusOf, ended };
}

describe('optimizing repeatedly and on a large scale', wants('llama-quantize'), () => {
  test('completes in spite of many kills of the server, and one engine runs at a time', async () => {
    const { world, place, enginePid, statusOf, ended } = await worldWith({ layers: 4, width: 1024 });
    const before = await digestsBelow(join(world.storePath, 'acme--Tiny-GGUF'));
    const random = seededRandom(testSeed);
    let served = await world.serve();
    expect(await world.host('optimize', '--no-wait', '--type', 'Q4_K_M', '--threads', '1', 'acme/Tiny-GGUF')).toMatchObject({ status: 0 });
    const engines = new Set<number>();
    for (let round = 0; round < rounds({ few: 3, many: 6 }); round += 1) {
      // Somewhere between its first question and its result.
      for (let looks = Math.floor(random() * 150); looks > 0; looks -= 1) await statusOf(served.apiUrl);
      const pid = enginePid();
      if (pid !== undefined) engines.add(pid);
      await served.kill();
      served = await world.serve();
      await until('the end of what the killed server left', async () => {
        const now = enginePid();
        return [...engines].every((one) => one === now || !lives(one));
      });
    }
    const done = await ended(served.apiUrl);
    expect(done, `SKULK_TEST_SEED=${testSeed}`).toMatchObject({ status: 'complete', error: null });
    expect(await world.host('verify', 'acme/Tiny-Q4_K_M-GGUF')).toMatchObject({ status: 0 });
    expect(await digestsBelow(join(world.storePath, 'acme--Tiny-GGUF'))).toEqual(before);
    expect(await readdir(join(place, 'run')).catch(() => [])).toEqual([]);
    for (const pid of engines) expect(lives(pid)).toBe(false);
    await served.stop();
  });

  test('of more than a gigabyte needs little memory in the engine and in the server, which answers meanwhile', async () => {
    const { world, enginePid, ended } = await worldWith({ layers: 8, width: 2048 });
    expect((await stat(join(world.storePath, 'acme--Tiny-GGUF/tiny-F32.gguf'))).size).toBeGreaterThan(2 ** 30);
    const served = await world.serve();
    // The memory of a new server is not a valid base: it has just verified and answered the same here.
    await world.host('show', 'acme/Tiny-GGUF');
    const serverBefore = peakMemoryOf(served.pid);
    expect(await world.host('optimize', '--no-wait', '--type', 'Q4_K_M', 'acme/Tiny-GGUF')).toMatchObject({ status: 0 });
    let enginePeak = 0;
    const fractions = new Set<number>();
    const done = await ended(served.apiUrl, ({ status, progress }) => {
      if (status === 'converting') fractions.add(progress);
      enginePeak = Math.max(enginePeak, peakMemoryOf(enginePid() ?? 0));
    });
    expect(done).toMatchObject({ status: 'complete' });
    // A server without time to answer would show no progress before the end.
    expect(fractions.size).toBeGreaterThan(2);
    const serverGrowth = peakMemoryOf(served.pid) - serverBefore;
    process.stdout.write(`engine ${Math.round(enginePeak / mebibyte)} MiB, server +${Math.round(serverGrowth / mebibyte)} MiB\n`);
    expect(enginePeak).toBeLessThan(250 * mebibyte);
    expect(serverGrowth).toBeLessThan(150 * mebibyte);
    await served.stop();
  });
});
