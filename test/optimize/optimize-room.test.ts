import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fullWeights, gatedQuantizer, llamaQuantize } from '../helpers/quantizer.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';

const mebibyte = 1024 * 1024;

/** A store of some 20 MB on a small disk, and its server. */
async function storeOnSmallDisk(program: string) {
  const disk = await smallDisk(80 * mebibyte);
  const home = await temporaryDirectory();
  const env = { SKULK_HOME: home, SKULK_ENGINE_LLAMA: program };
  const served = await serveInProcess({ home, args: ['--store-path', disk.path], env });
  const run = (...args: readonly string[]) => runInProcess(args, { env: { ...env, SKULK_STORE: served.url } });
  expect(await run('add', await fullWeights('tiny', { layers: 2, width: 512 }), '--as', 'acme/Tiny-GGUF')).toMatchObject({ status: 0 });
  const left = async (): Promise<readonly string[]> => {
    const found = await readdir(join(disk.path, '.skulk/v1/optimizations/work'), { recursive: true }).catch((): string[] => []);
    return found.filter((path) => path.includes('/run/'));
  };
  return { disk, run, left, url: served.url };
}

describe('optimizing without disk space', wants('llama-quantize', 'a disk of their own'), () => {
  test('is refused before anything is written', async () => {
    const { disk, run, left, url } = await storeOnSmallDisk(llamaQuantize);
    await disk.leave(2 * mebibyte);
    const refused = await run('optimize', 'acme/Tiny-GGUF', '--type', 'Q8_0');
    expect(refused, refused.stderr).toMatchObject({ status: 7, stderr: expect.stringMatching(/needs 4\.9\d MiB/) });
    const asked = await fetch(`${url}/store/models/acme%2FTiny-GGUF/optimize`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ type: 'Q8_0' }),
    });
    expect(asked.status).toBe(507);
    expect(await asked.json()).toMatchObject({ code: 'NO_SPACE', detail: expect.stringMatching(/needs 4\.9\d MiB/) });
    expect(await left()).toEqual([]);
    await disk.leave('all');
  });

  test('fails with the reason when the disk fills up meanwhile, and the store is unchanged', async () => {
    const gated = await gatedQuantizer();
    const { disk, run, left } = await storeOnSmallDisk(gated.program);
    expect(await run('optimize', '--no-wait', 'acme/Tiny-GGUF', '--type', 'Q8_0')).toMatchObject({ status: 0 });
    await gated.arrived();
    await disk.leave(mebibyte);
    await gated.open();
    const failed = await until('the failure', async () => {
      const { stdout } = await run('optimizations', '--json');
      const [one] = (JSON.parse(stdout) as { optimizations: { status: string; error_code: string; error: string }[] }).optimizations;
      return one?.status === 'failed' ? one : undefined;
    });
    expect(failed).toMatchObject({ error_code: 'NO_SPACE', error: expect.stringMatching(/./) });
    await disk.leave('all');
    expect(await left()).toEqual([]);
    expect(await run('registry', '--json')).toMatchObject({ stdout: expect.not.stringContaining('Q8_0') });
    // With enough space the variant is made.
    expect(await run('optimize', 'acme/Tiny-GGUF', '--type', 'Q8_0')).toMatchObject({ status: 0 });
  });
});
