import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow, writeFiles } from '../helpers/model-files.ts';
import { fullWeights, gatedQuantizer, lives, llamaQuantize, spoilingQuantizer } from '../helpers/quantizer.ts';
import { longTest } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';

const llamaScript = fileURLToPath(new URL('../llama/run-in-llama.js', import.meta.url));

/** Removes forty bytes from the end of a result. */
const cutShort = `'${process.execPath}' -e 'fs.truncateSync(process.argv[1], fs.statSync(process.argv[1]).size - 40)' "$result"`;

interface Planned {
  readonly planned: {
    readonly type: string;
    readonly bits: number;
    readonly bytes: number;
    readonly targetId: string;
    readonly is_exact: boolean;
  };
}

interface Made {
  readonly targetId: string;
  readonly status: string;
  readonly achievedBpw: number;
  readonly type: string;
}

/** A store host with a model of full weights and a quantizer. */
async function storeWithWeights(program = llamaQuantize, size?: { layers: number; width: number }) {
  const world = await hubWorld({ SKULK_ENGINE_LLAMA: program });
  const directory = await fullWeights('tiny', size);
  expect(await world.host('add', directory, '--as', 'acme/Tiny-GGUF')).toMatchObject({ status: 0 });
  const source = join(world.storePath, 'acme--Tiny-GGUF');
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const ended = await world.host(...args, '--json');
    expect([ended.status, ended.stderr]).toEqual([0, expect.any(String)]);
    return JSON.parse(ended.stdout) as T;
  };
  /** The remaining files of engines on the disk. */
  const leftovers = async (): Promise<readonly string[]> => {
    const work = join(world.storePath, '.skulk/v1/optimizations/work');
    const found = await readdir(work, { recursive: true }).catch((): string[] => []);
    return found.filter((path) => /engine\.json|\/run\//.test(path));
  };
  return { world, source, json, leftovers };
}

describe('skulk optimize with a real quantizer', wants('llama-quantize'), () => {
  test('makes a variant that records its source, can be staged, and runs, and the source is unchanged', async () => {
    const { world, source, json, leftovers } = await storeWithWeights();
    const before = await digestsBelow(source);
    const served = await world.serveInProcess();
    const { planned } = await json<Planned>('optimize', 'acme/Tiny-GGUF', '--dry-run', '--type', 'Q4_K_M');
    const made = await json<Made>('optimize', 'acme/Tiny-GGUF', '--type', 'Q4_K_M');
    expect(made).toMatchObject({ status: 'complete', targetId: 'acme/Tiny-Q4_K_M-GGUF', type: 'Q4_K_M', achievedBpw: planned.bits });
    expect(planned).toMatchObject({ targetId: made.targetId, is_exact: true });
    const result = join(world.storePath, 'acme--Tiny-Q4_K_M-GGUF');
    expect((await readdir(result)).toSorted()).toEqual(['LICENSE', 'README.md', 'Tiny-Q4_K_M.gguf']);
    const { size } = await stat(join(result, 'Tiny-Q4_K_M.gguf'));
    // The quantizer prints sizes to a hundredth of a mebibyte.
    expect(Math.abs(size - planned.bytes)).toBeLessThan(20_000);
    expect(await digestsBelow(source)).toEqual(before);
    expect(await leftovers()).toEqual([]);

    const shown = await json<{ source: string; digest: string; tags: string[]; quantization: string }>('show', made.targetId);
    const sourceShown = await json<{ digest: string }>('show', 'acme/Tiny-GGUF');
    expect(shown).toMatchObject({ source: 'optimized', quantization: 'Q4_K_M' });
    expect(shown).toMatchObject({
      provenance: {
        engine: 'llama',
        engine_version: expect.stringContaining('node-llama-cpp'),
        arguments: ['Q4_K_M'],
        source_model: 'acme/Tiny-GGUF',
        source_digest: sourceShown.digest,
        source_files: ['tiny-F32.gguf'],
        achieved_bpw: planned.bits,
      },
    });
    expect((await world.host('show', made.targetId)).stdout).toMatch(
      /made from +acme\/Tiny-GGUF[\s\S]*made by +llama \(node-llama-cpp .*Q4_K_M/,
    );

    const staged = await world.nodeInProcess(served, 'n1', 'stage', made.targetId);
    expect(staged).toMatchObject({ status: 0 });
    expect((await digestsBelow(join(world.staged('n1'), 'acme--Tiny-Q4_K_M-GGUF')))['Tiny-Q4_K_M.gguf']).toBe(
      (await digestsBelow(result))['Tiny-Q4_K_M.gguf'],
    );
    const ran = await runSkulk(['run', made.targetId, '--', process.execPath, llamaScript, '{gguf}'], {
      env: { SKULK_HOME: join(world.home, 'n1'), SKULK_STORE: served.url },
    });
    expect(ran.status, ran.stderr).toBe(0);
    expect(JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '{}')).toMatchObject({ text: expect.stringMatching(/./) });
  });

  test('gives a variant the card of its source with its own id, quantization, size, file and base model', async () => {
    const { world, json } = await storeWithWeights();
    const card = join(world.home, 'card.toml');
    const text = [
      'model_id = "acme/Tiny-GGUF"',
      'capabilities = ["text", "thinking"]',
      'context_length = 4096',
      'gguf_file = "tiny-F32.gguf"',
      'registry_card_id = "card_x"',
      'of_tomorrow = [1, 2]',
      '[storage_size]\nin_bytes = 1',
    ];
    await writeFile(card, `${text.join('\n')}\n`);
    const own = join(world.storePath, 'acme--Tiny-GGUF');
    expect(await world.host('add', own, '--as', 'acme/Tiny-GGUF', '--card', card, '--force')).toMatchObject({ status: 0 });
    await json<Made>('optimize', 'acme/Tiny-GGUF', '--type', 'Q4_K_M');
    const place = join(world.storePath, 'acme--Tiny-Q4_K_M-GGUF');
    const made = parse(await readFile(join(place, 'acme--Tiny-Q4_K_M-GGUF.toml'), 'utf8'));
    expect(made).toEqual({
      model_id: 'acme/Tiny-Q4_K_M-GGUF',
      capabilities: ['text', 'thinking'],
      context_length: 4096,
      gguf_file: 'Tiny-Q4_K_M.gguf',
      of_tomorrow: [1, 2],
      quantization: 'Q4_K_M',
      base_model: 'acme/Tiny-GGUF',
      storage_size: { in_bytes: (await stat(join(place, 'Tiny-Q4_K_M.gguf'))).size },
    });
    expect(await json<object>('show', 'acme/Tiny-Q4_K_M-GGUF')).toMatchObject({
      card: 'model',
      tags: ['thinking'],
      quantization: 'Q4_K_M',
      base_model: 'acme/Tiny-GGUF',
      context_length: 4096,
    });
    // A card does not make another variant.
    expect(await json<Made>('optimize', 'acme/Tiny-GGUF', '--type', 'Q4_K_M')).toMatchObject({ status: 'complete' });
  });

  test('uses the largest type within the bits, and reports when there is none', async () => {
    const { world, json } = await storeWithWeights();
    const at = async (bits: string): Promise<string> =>
      (await json<Planned>('optimize', 'acme/Tiny-GGUF', '--dry-run', '--target-bpw', bits)).planned.type;
    expect(await at('16')).toBe('Q8_0');
    expect(await at('6.6')).toBe('Q6_K');
    const { planned } = await json<Planned>('optimize', 'acme/Tiny-GGUF', '--dry-run');
    expect(planned.bits).toBeLessThanOrEqual(4.5);
    const refused = await world.host('optimize', 'acme/Tiny-GGUF', '--target-bpw', '1.5');
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringMatching(/cannot reach 1\.5 bits[\s\S]*the smallest is Q2_K/) });
    // Only valid type names reach the program.
    for (const type of ['--pure', 'Q4_K_M/../x', 'COPY', 'F32'])
      expect(await world.host('optimize', 'acme/Tiny-GGUF', `--type=${type}`)).toMatchObject({ status: 2 });
    expect(await world.host('optimize', 'acme/Tiny-GGUF', '--type', 'IQ2_XXS')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('importance matrix'),
    });
  });

  test('does not repeat finished work, uses its own ids, and replaces another model only with --force', async () => {
    const gated = await gatedQuantizer();
    await gated.open();
    const { world, json } = await storeWithWeights(gated.program);
    const make = (...more: readonly string[]) => json<Made>('optimize', 'acme/Tiny-GGUF', '--type', 'Q4_0', ...more);
    await make('--as', 'me/Own');
    expect(await gated.runs()).toBe(1);
    expect(await make('--as', 'me/Own')).toMatchObject({ status: 'complete', targetId: 'me/Own' });
    expect(await gated.runs()).toBe(1);
    const other = await world.host('optimize', 'acme/Tiny-GGUF', '--type', 'Q8_0', '--as', 'me/Own');
    expect(other).toMatchObject({ status: 5, stderr: expect.stringMatching(/another model named me\/Own[\s\S]*--force/) });
    expect(await json<Made>('optimize', 'acme/Tiny-GGUF', '--type', 'Q8_0', '--as', 'me/Own', '--force')).toMatchObject({ type: 'Q8_0' });
    expect(await json<{ quantization: string }>('show', 'me/Own')).toMatchObject({ quantization: 'Q8_0' });
    // Hugging Face has no replacement for the result of an optimization.
    world.hub.push('me/Own', { files: { 'config.json': '{}' } });
    expect(await world.host('download', '--whole', 'me/Own')).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('skulk optimize'),
    });
    expect(await world.host('optimize', 'acme/Tiny-GGUF', '--as', 'acme/tiny-gguf')).toMatchObject({ status: 2 });
    expect(await world.host('optimize', 'acme/Nothing')).toMatchObject({ status: 3 });
  });

  test('refuses quantized and damaged weights, and leaves no files', async () => {
    const { world, json, leftovers } = await storeWithWeights();
    await json<Made>('optimize', 'acme/Tiny-GGUF', '--type', 'Q6_K');
    const again = await world.host('optimize', 'acme/Tiny-Q6_K-GGUF', '--type', 'Q4_0');
    expect(again).toMatchObject({ status: 5, stderr: expect.stringMatching(/already quantized[\s\S]*--allow-requantize/) });
    expect(await json<Made>('optimize', 'acme/Tiny-Q6_K-GGUF', '--type', 'Q4_0', '--allow-requantize')).toMatchObject({
      targetId: 'acme/Tiny-Q6_K-Q4_0-GGUF',
    });
    const directory = await fullWeights('cut');
    const whole = await readFile(join(directory, 'cut-F32.gguf'));
    await writeFiles(directory, { 'cut-F32.gguf': whole.subarray(0, Math.floor(whole.length / 2)) });
    await world.host('add', directory, '--as', 'acme/Cut-GGUF');
    expect(await world.host('optimize', 'acme/Cut-GGUF')).toMatchObject({
      status: 6,
      stderr: expect.stringContaining('cannot read the weights'),
    });
    expect(await leftovers()).toEqual([]);
  });

  test('refuses a result without its last bytes even if the engine reports success', async () => {
    const { world, leftovers } = await storeWithWeights(await spoilingQuantizer(cutShort));
    const refused = await world.host('optimize', 'acme/Tiny-GGUF', '--type', 'Q4_0');
    expect(refused).toMatchObject({ status: 6, stderr: expect.stringMatching(/result is not usable: .*its tensors end at/) });
    expect(await world.host('show', 'acme/Tiny-Q4_0-GGUF')).toMatchObject({ status: 3 });
    expect(await leftovers()).toEqual([]);
  });

  test('suggests an installation if no engine exists, and names an invalid program in the environment', async () => {
    const world = await hubWorld({ PATH: '/nowhere', HOME: '/nowhere' });
    expect(await world.host('add', await fullWeights(), '--as', 'acme/Tiny-GGUF')).toMatchObject({ status: 0 });
    const { apiUrl } = await world.serveInProcess();
    const answer = await fetch(`${apiUrl}/store/models/acme%2FTiny-GGUF/optimize`, { method: 'POST' });
    // A machine with llama.cpp in a usual directory finds it there.
    if (answer.status === 200) return;
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({
        code: 'ENGINE_NOT_FOUND',
        hint: expect.stringMatching(/^install one on the store host: for llama, brew install llama\.cpp[^:]*$/),
      }),
    ]);
    const named = await hubWorld({ SKULK_ENGINE_LLAMA: 'llama-quantize' });
    await named.host('add', await fullWeights(), '--as', 'acme/Tiny-GGUF');
    expect(await named.host('optimize', 'acme/Tiny-GGUF')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/SKULK_ENGINE_LLAMA[\s\S]*not an absolute path/),
    });
  });

  test('is stopped by a cancel, which ends the engine and leaves no files', async () => {
    const gated = await gatedQuantizer();
    const { world, leftovers } = await storeWithWeights(gated.program);
    await world.serveInProcess();
    expect(await world.host('optimize', '--no-wait', 'acme/Tiny-GGUF', '--type', 'Q4_0')).toMatchObject({ status: 0 });
    const pid = await gated.arrived();
    expect(await world.host('cancel', 'acme/Tiny-GGUF')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('acme/Tiny-Q4_0-GGUF'),
    });
    expect(lives(pid)).toBe(false);
    expect(await leftovers()).toEqual([]);
    expect(await world.host('optimizations')).toMatchObject({ stdout: expect.stringMatching(/acme\/Tiny-Q4_0-GGUF.*failed/) });
    expect(await world.host('cancel', 'acme/Tiny-GGUF')).toMatchObject({ status: 5 });
    expect(await world.host('show', 'acme/Tiny-Q4_0-GGUF')).toMatchObject({ status: 3 });
  });

  test('publishes nothing if the source changes meanwhile', async () => {
    const gated = await gatedQuantizer();
    const { world, source } = await storeWithWeights(gated.program);
    const served = await world.serveInProcess();
    await world.host('optimize', '--no-wait', 'acme/Tiny-GGUF', '--type', 'Q4_0');
    await gated.arrived();
    const weights = await readFile(join(source, 'tiny-F32.gguf'));
    weights.writeUInt8(weights.readUInt8(weights.length - 3) ^ 255, weights.length - 3);
    await writeFiles(source, { 'tiny-F32.gguf': weights });
    await gated.open();
    const status = await until('the end', async () => {
      const answer = await fetch(`${served.apiUrl}/store/models/acme%2FTiny-GGUF/optimize/status`);
      const body = (await answer.json()) as { status: string; error_code: string };
      return body.status === 'failed' ? body : undefined;
    });
    expect(status).toMatchObject({ error_code: 'INTEGRITY' });
    expect(await world.host('show', 'acme/Tiny-Q4_0-GGUF')).toMatchObject({ status: 3 });
  });

  longTest('resumes after a kill of the server, and ends the old engine first', async () => {
    const gated = await gatedQuantizer();
    const { world, leftovers } = await storeWithWeights(gated.program);
    const first = await world.serve();
    await world.host('optimize', '--no-wait', 'acme/Tiny-GGUF', '--type', 'Q4_0');
    const pid = await gated.arrived();
    await first.kill();
    expect(lives(pid)).toBe(true);
    const second = await world.serve();
    await until('the end of the program that was left', async () => (lives(pid) ? undefined : true));
    await gated.open();
    await until('the variant', async () => ((await world.host('show', 'acme/Tiny-Q4_0-GGUF')).status === 0 ? true : undefined));
    await until('the end of the work', async () => ((await leftovers()).length === 0 ? true : undefined));
    expect(await gated.runs()).toBe(2);
    await second.stop();
  });
});
