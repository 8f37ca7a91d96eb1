import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { OptimizeWishes } from '../../src/core/jobs/contract.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { createHostOptimizations, type HostOptimizations } from '../../src/core/optimize/host-optimizations.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow } from '../helpers/model-files.ts';
import { fullSafetensors, installStandIn } from '../helpers/python-engines.ts';
import { lives } from '../helpers/quantizer.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { few, longTest } from '../helpers/seeded.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until, within } from '../helpers/waiting.ts';
import { testWorld } from '../helpers/world.ts';

const modelId = parseModelId('acme/Tiny');

/** A store with a model, whose optimizations assume a Mac: optiq runs only there. */
async function storeOnMac(engine: 'mlx' | 'optiq', more: Readonly<Record<string, string>> = {}) {
  const home = await temporaryDirectory();
  const own = { SKULK_HOME: home, [`SKULK_ENGINE_${engine.toUpperCase()}`]: await installStandIn(engine), HF_TOKEN: 'hf_secret' };
  const added = await runInProcess(['add', await fullSafetensors(more), '--as', modelId], { env: own });
  expect(added, added.stderr).toMatchObject({ status: 0 });
  const root = join(home, 'store');
  const open = (): HostOptimizations => {
    const world = testWorld(home, { env: own });
    const store = openDiskStore({ root, world, nodeId: undefined, cardsPath: undefined });
    const optimizations = createHostOptimizations({ store, world: { ...world, platform: 'darwin' }, arch: 'arm64' });
    onTestFinished(async () => {
      await optimizations.close();
      await store.close();
    });
    return optimizations;
  };
  const ended = (optimizations: HostOptimizations) =>
    until('the end', async () => {
      const now = await optimizations.status(modelId);
      return now.status === 'complete' || now.status === 'failed' ? now : undefined;
    });
  const make = async (wishes: Partial<OptimizeWishes> = {}) => {
    const optimizations = open();
    await optimizations.ask({ modelId, engine, ...wishes });
    return ended(optimizations);
  };
  const show = async (target: string): Promise<Record<string, unknown>> => {
    const { stdout } = await runInProcess(['show', target, '--json'], { env: own });
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  /** The files of engines on the disk. */
  const leftovers = async (): Promise<readonly string[]> => {
    const found = await readdir(join(root, '.skulk/v1/optimizations/work'), { recursive: true }).catch((): string[] => []);
    return found.filter((path) => /engine\.json|\/run\//.test(path));
  };
  return { root, open, ended, make, show, leftovers };
}

/** Files of a model that make the program wait, and the files that it wrote by then. */
async function gatedFiles() {
  const directory = await temporaryDirectory();
  const [gate, log] = [join(directory, 'gate'), join(directory, 'log')];
  await writeFile(gate, '');
  const lines = async (): Promise<readonly string[]> => (await readFile(log, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  return { files: { gate, log }, lines, open: () => rm(gate) };
}

describe('optiq, with a stand-in that has its command line and its known faults', () => {
  longTest("makes a model of mixed widths from the store's own files, and only its one directory is used", async () => {
    const { root, make, show, leftovers } = await storeOnMac('optiq', { 'vision_tower.txt': 'x' });
    const before = await digestsBelow(join(root, 'acme--Tiny'));
    const done = await make({ targetBpw: 5.5 });
    expect(done).toMatchObject({
      status: 'complete',
      targetId: 'acme/Tiny-OptiQ-5.5bpw',
      targetBpw: 5.5,
      engineVersion: '0.7.7',
      error: null,
    });
    expect(done.achievedBpw).toBeGreaterThan(4.5);
    expect(done.achievedBpw).toBeLessThanOrEqual(5.5);
    expect((await readdir(join(root, 'acme--Tiny-OptiQ-5.5bpw'))).toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'config.json',
      'model.safetensors',
      'model.safetensors.index.json',
      'optiq_metadata.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'vision_tower.txt',
    ]);
    expect(await show('acme/Tiny-OptiQ-5.5bpw')).toMatchObject({
      source: 'optimized',
      // The dashboard of the Python Skulk offers no second optimization of a model with this tag.
      tags: expect.arrayContaining(['optiq']),
      provenance: {
        engine: 'optiq',
        engine_version: '0.7.7',
        arguments: ['--target-bpw', '5.5', '--candidate-bits', '4,8'],
        source_model: 'acme/Tiny',
        target_bpw: 5.5,
        achieved_bpw: done.achievedBpw,
      },
    });
    expect(await digestsBelow(join(root, 'acme--Tiny'))).toEqual(before);
    expect(await leftovers()).toEqual([]);
  });

  longTest('resumes after an interruption with its measurements', async () => {
    const { files, lines, open: openGate } = await gatedFiles();
    const { open, ended } = await storeOnMac('optiq', files);
    const first = open();
    await first.ask({ modelId, engine: 'optiq' });
    const pid = Number(
      (
        await until('a measured layer', async () => (await lines()).some((line) => line.startsWith('measured')) && (await lines())[0])
      )?.split(' ')[1],
    );
    expect(await first.status(modelId)).toMatchObject({ status: 'optimizing', message: expect.stringContaining('step 3 of 6') });
    await within('the end of the queue', first.close());
    expect(lives(pid)).toBe(false);
    await openGate();
    const second = open();
    await second.resume();
    expect(await ended(second)).toMatchObject({ status: 'complete', error: null });
    const all = await lines();
    expect(all.filter((line) => line.startsWith('run'))).toHaveLength(2);
    expect(all.filter((line) => line === 'baseline')).toHaveLength(1);
    const measured = all.filter((line) => line.startsWith('measured'));
    expect(new Set(measured).size).toBe(measured.length);
  });

  test.each(
    few([
      ['recipe not applied', /8\.\d+ bits per weight instead of 4\.5/],
      ['only static', /optiq_mixed\/optiq_metadata\.json has no achieved_bpw/],
    ]),
  )('is not trusted when it reports success: %s', async (trap, why) => {
    const { root, make } = await storeOnMac('optiq', { trap });
    expect(await make()).toMatchObject({ status: 'failed', error_code: 'INTEGRITY', error: expect.stringMatching(why) });
    expect(await readdir(root)).not.toContain('acme--Tiny-OptiQ-4.5bpw');
  });
});

describe('mlx_lm.convert, with a stand-in that has its command line and its known faults', () => {
  longTest('makes a model that the command shows, verifies and stages', async () => {
    const world = await hubWorld({ SKULK_ENGINE_MLX: await installStandIn('mlx') });
    expect(await world.host('add', await fullSafetensors(), '--as', 'acme/Tiny')).toMatchObject({ status: 0 });
    const served = await world.serveInProcess();
    const made = await world.host('optimize', 'acme/Tiny', '--engine', 'mlx', '--json');
    expect(made, made.stderr).toMatchObject({ status: 0 });
    const { achievedBpw, targetId } = JSON.parse(made.stdout) as { achievedBpw: number; targetId: string };
    expect(targetId).toBe('acme/Tiny-4bit');
    expect(achievedBpw).toBeGreaterThan(4.4);
    expect(achievedBpw).toBeLessThan(4.8);
    expect(await world.host('verify', targetId)).toMatchObject({ status: 0 });
    expect(await world.host('show', targetId)).toMatchObject({ stdout: expect.stringMatching(/made by +mlx \(0\.32\.0\) /) });
    const staged = await world.nodeInProcess(served, 'n1', 'stage', targetId);
    expect(staged, staged.stderr).toMatchObject({ status: 0 });
    expect(await world.host('optimize', 'acme/Tiny', '--engine', 'mlx', '--type', 'mixed_4_6')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('acme/Tiny-mixed_4_6: in the store'),
    });
  });

  longTest('starts again after an interruption, because it refuses an existing directory', async () => {
    const { files, lines, open: openGate } = await gatedFiles();
    const { open, ended } = await storeOnMac('mlx', files);
    const first = open();
    await first.ask({ modelId, engine: 'mlx' });
    await until('half of a result', async () => (await lines()).length === 1);
    await within('the end of the queue', first.close());
    await openGate();
    const second = open();
    await second.resume();
    expect(await ended(second)).toMatchObject({ status: 'complete', error: null });
    expect(await lines()).toHaveLength(2);
  });

  test.each(
    few([
      ['an empty shard', { trap: 'empty shard' }, 'INTEGRITY', /model\.safetensors" cannot be used: it is empty/],
      ['a model that it does not know', { 'config.json': '{"model_type":"foo"}' }, 'ENGINE_FAILED', /Model type foo not supported/],
      ['too little memory', { trap: 'out of memory' }, 'ENGINE_FAILED', /Insufficient Memory/],
    ]),
  )('fails with the reason: %s', async (_, more, error_code, why) => {
    const { root, make, leftovers } = await storeOnMac('mlx', more);
    const failed = await make();
    expect(failed).toMatchObject({ status: 'failed', error_code, error: expect.stringMatching(why), hint: expect.stringMatching(/./) });
    expect(await readdir(root)).not.toContain('acme--Tiny-4bit');
    expect(await leftovers()).toEqual([]);
  });
});
