import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkOutput } from '../../src/core/engines/check-output.ts';
import type { Ask, Engine, EnginePlan, EngineRequest, FoundEngine } from '../../src/core/engines/contract.ts';
import { chooseEngine } from '../../src/core/engines/engines.ts';
import { findProgramIn, versionOfPython } from '../../src/core/engines/find-program-in.ts';
import { llama } from '../../src/core/engines/llama.ts';
import { mlx } from '../../src/core/engines/mlx.ts';
import { optiq } from '../../src/core/engines/optiq.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { filesToCarry } from '../../src/core/optimize/carry-over.ts';
import { nameTarget } from '../../src/core/optimize/name-target.ts';
import { scanDirectory } from '../../src/core/store/ingest/scan-directory.ts';
import { safetensorsBytes } from '../helpers/safetensors-bytes.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const gigabyte = 1_000_000_000;
const { signal } = new AbortController();

const found = (engine: Engine, abilities: readonly string[] = []): FoundEngine => ({
  name: engine.name,
  program: `/opt/${engine.name}`,
  version: '1',
  abilities: new Set(abilities),
});

const request = (names: Readonly<Record<string, number>>, more: Partial<EngineRequest> = {}): EngineRequest => ({
  directory: '/store/org--m',
  files: Object.entries(names).map(([path, size]) => ({ path, size })),
  baseName: 'M',
  ...more,
});

const never: Ask = async () => {
  throw new Error('no program is asked');
};
/** The output of a llama-quantize dry run, by type. */
const dryRuns =
  (bits: Readonly<Record<string, number>>, sourceBits = 16): Ask =>
  async (_, args) => ({
    status: 0,
    lines: [
      `llama_model_quantize_impl: model size  =  1000.00 MiB (${sourceBits.toFixed(2)} BPW)`,
      `llama_model_quantize_impl: quant size  =  ${((1000 * (bits[args.at(-1) ?? ''] ?? 99)) / sourceBits).toFixed(2)} MiB (${bits[args.at(-1) ?? '']} BPW)`,
    ],
  });

describe('the engine llama', () => {
  const full = { 'm-F16.gguf': gigabyte };

  test('uses the largest type within the bits, even an unusual one', async () => {
    const bits = {
      Q2_K: 3,
      Q3_K_S: 3.4,
      Q3_K_M: 3.9,
      Q3_K_L: 4.4,
      IQ4_XS: 4.2,
      Q4_K_S: 4.5,
      Q4_K_M: 4.9,
      Q5_K_S: 5.6,
      Q5_K_M: 5.8,
      Q6_K: 6.6,
      Q8_0: 8.5,
    };
    const typeFor = async (targetBpw: number): Promise<string> =>
      (await llama.plan(found(llama, ['dry run']), request(full, { targetBpw }), dryRuns(bits))).type;
    expect(await typeFor(4.5)).toBe('Q4_K_S');
    expect(await typeFor(4.49)).toBe('IQ4_XS');
    expect(await typeFor(3)).toBe('Q2_K');
    expect(await typeFor(16)).toBe('Q8_0');
    await expect(typeFor(2.9)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('estimates by the type names if the program has no dry run, and says that it is an estimate', async () => {
    const plan = await llama.plan(found(llama), request(full, { type: 'q4_k_m' }), never);
    expect(plan).toMatchObject({ type: 'Q4_K_M', isExact: false, bits: 4.83 });
    expect(plan.bytes / gigabyte).toBeCloseTo(4.83 / 16, 2);
  });

  test('passes unquantized weights with all their shards to the program by path', async () => {
    const shards = { 'BF16/m-BF16-00001-of-00002.gguf': gigabyte, 'BF16/m-BF16-00002-of-00002.gguf': 2 };
    const plan = await llama.plan(
      found(llama, ['dry run']),
      request({ 'm-Q8_0.gguf': 9 * gigabyte, ...shards }, { type: 'Q4_0' }),
      dryRuns({ Q4_0: 4.5 }),
    );
    expect(plan.sourceFiles).toEqual(Object.keys(shards));
    const argv = llama.command(plan, { work: '/w', threads: 3 });
    expect(argv).toEqual(['/store/org--m/BF16/m-BF16-00001-of-00002.gguf', '/w/out/M-Q4_0.gguf', 'Q4_0', '3']);
    await expect(llama.plan(found(llama), request({ 'm-Q8_0.gguf': 1 }), never)).rejects.toMatchObject({ code: 'CONFLICT' });
    const broken = request({ 'm-F16-00001-of-00002.gguf': 1 });
    await expect(llama.plan(found(llama), broken, never)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('00002'),
    });
    // A file with a neutral name may still be quantized.
    await expect(
      llama.plan(found(llama, ['dry run']), request({ 'model.gguf': gigabyte }, { type: 'Q4_0' }), dryRuns({ Q4_0: 4.5 }, 6.57)),
    ).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('6.57') });
  });

  test('uses the importance matrix of the model if the program can read it, except for eight bits and more', async () => {
    const asked: (readonly string[])[] = [];
    const ask: Ask = async (program, args) => {
      asked.push(args);
      if (args.includes('--dry-run')) return dryRuns({ IQ2_XXS: 2.4, Q8_0: 8.5 })(program, args);
      const line =
        args[1]?.endsWith('.dat') === true
          ? 'load_imatrix: failed reading name for entry 1'
          : 'load_imatrix: loaded 8 importance matrix entries from x';
      return { status: 1, lines: [line] };
    };
    const able = found(llama, ['dry run', 'imatrix']);
    const files = { ...full, 'a-imatrix.dat': 3, 'b/imatrix.gguf': 1000 };
    const plan = await llama.plan(able, request(files, { type: 'IQ2_XXS' }), ask);
    expect(plan).toMatchObject({
      sourceFiles: ['m-F16.gguf', 'b/imatrix.gguf'],
      matrix: { path: 'b/imatrix.gguf', absolute: '/store/org--m/b/imatrix.gguf' },
      warnings: [expect.stringContaining('a-imatrix.dat')],
      roomBytes: plan.bytes + 1000,
    });
    // It runs in the work directory, where the name of the matrix reveals nothing about this store.
    expect(llama.command(plan, { work: '/w', threads: 3 })).toEqual([
      '--imatrix',
      'imatrix.gguf',
      '/store/org--m/m-F16.gguf',
      '/w/out/M-IQ2_XXS.gguf',
      'IQ2_XXS',
      '3',
    ]);
    expect(asked.at(-1)).toEqual(['--dry-run', '--imatrix', '/store/org--m/b/imatrix.gguf', '/store/org--m/m-F16.gguf', 'IQ2_XXS']);
    expect(await llama.plan(able, request(files, { type: 'Q8_0' }), ask)).toMatchObject({ matrix: undefined, arguments: ['Q8_0'] });
    const { 'b/imatrix.gguf': _, ...unreadable } = files;
    for (const [names, abilities, why] of [
      [unreadable, ['imatrix'], /cannot read a-imatrix\.dat/],
      [full, ['imatrix'], /the model has none/],
      [files, [], /does not take one/],
    ] as const)
      await expect(llama.plan(found(llama, abilities), request(names, { type: 'IQ2_XXS' }), ask)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        message: expect.stringMatching(why),
      });
  });

  test.each([
    [
      '[   2/  20] token_embd.weight  - [ 512, 286, 1, 1], type =  f32, converting to q6_K .. size =     0.50 MiB ->  0.11 MiB',
      { is: 'bytes', bytes: 524_288 },
    ],
    ['[   1/  20] output_norm.weight - [ 512, 1, 1, 1], type =  f32, size =    0.002 MiB', { is: 'bytes', bytes: 2097 }],
    ['llama_model_quantize_impl: quant size  =     2.82 MiB (4.85 BPW)', { is: 'bits', bits: 4.85 }],
    ['llama_model_quantize_impl: WARNING: 7 of 11 tensor(s) required fallback quantization', { is: 'warning' }],
  ])('parses the line %j', (line, news) => {
    expect(llama.read(line)).toMatchObject(news);
  });

  test('ignores every other line', () => {
    for (const line of ['', 'llama_model_loader: - kv   0: general.architecture str = llama', '[1/2] nothing', 'model size = 3 MiB'])
      expect(llama.read(line)).toBeUndefined();
  });

  test.each([
    ['llama_model_quantize: failed to quantize: requantizing from type q6_K is disabled', 'CONFLICT'],
    ['llama_model_quantize: failed to quantize: this quantization requires an imatrix!', 'BAD_REQUEST'],
    ['llama_model_quantize: failed to quantize: imatrix size 64 is different from tensor size 256 for blk.0.attn_k.weight', 'CONFLICT'],
    ["llama_model_load: tensor 'x' data is not within the file bounds, model is corrupted or incomplete", 'INTEGRITY'],
    ['basic_ios::clear: iostream error', 'ENGINE_FAILED'],
  ])('explains the failure %j', (line, code) => {
    expect(llama.explain(['first', line], 1)).toMatchObject({ code, reason: expect.stringMatching(/./), hint: expect.stringMatching(/./) });
  });
});

describe('the engine optiq', () => {
  const full = { 'model.safetensors': 16 * gigabyte, 'config.json': 10 };

  test('gets a directory, a target and bit widths, and reserves disk space for all of its files', async () => {
    const plan = await optiq.plan(found(optiq), request(full, { targetBpw: 4.5, candidateBits: [4, 8] }), never);
    expect(optiq.command(plan, { work: '/w', threads: 1 })).toEqual([
      'convert',
      '/store/org--m',
      '--output',
      '/w/out',
      '--target-bpw',
      '4.5',
      '--candidate-bits',
      '4,8',
    ]);
    expect(plan).toMatchObject({ suffix: '-OptiQ-4.5bpw', bytes: 4.5 * gigabyte, isExact: false });
    expect(plan.roomBytes).toBeGreaterThan(13 * gigabyte);
    await expect(optiq.plan(found(optiq), request(full, { targetBpw: 3 }), never)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(optiq.plan(found(optiq), request(full, { type: 'Q4_0' }), never)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('runs only on Apple silicon, and refuses GGUF', () => {
    expect(optiq.fits({ platform: 'darwin', arch: 'arm64' })).toBe(true);
    expect(optiq.fits({ platform: 'linux', arch: 'x64' })).toMatch(/Apple silicon/);
    expect(optiq.accepts([{ path: 'm.gguf', size: 1 }])).toMatch(/safetensors/);
  });

  test('reports its steps', () => {
    expect(optiq.read('[4/6] Measuring sensitivity')).toEqual({
      is: 'phase',
      message: 'step 4 of 6: Measuring sensitivity',
      fraction: 0.5,
    });
    expect(optiq.read('Loading weights')).toBeUndefined();
  });

  test('gives its result from one directory only, with the bits that it recorded', async () => {
    const work = await temporaryDirectory();
    for (const name of ['uniform_4bit', 'static_mixed', 'optiq_mixed']) await mkdir(join(work, 'out', name), { recursive: true });
    await expect(optiq.collect({ work })).rejects.toMatchObject({ code: 'INTEGRITY' });
    await writeFile(join(work, 'out/optiq_mixed/optiq_metadata.json'), JSON.stringify({ achieved_bpw: 4.47, per_layer: {} }));
    expect(await optiq.collect({ work })).toEqual({ directory: join(work, 'out/optiq_mixed'), bits: 4.47 });
    // A resumed run starts the result again and keeps its measurements.
    await writeFile(join(work, 'out/sensitivity_checkpoint.json'), '{}');
    await optiq.prepare({ work, threads: 1 }, {});
    expect((await scanDirectory(join(work, 'out')).catch(() => ({ files: [] }))).files.map(({ path }) => path)).toEqual([
      'sensitivity_checkpoint.json',
    ]);
  });
});

describe('the engine mlx', () => {
  const full = { 'model.safetensors': 16 * gigabyte, 'config.json': 10 };

  test('uses the largest uniform type within the bits, or a mixture by its name', async () => {
    const plan = await mlx.plan(found(mlx), request(full), never);
    expect(plan).toMatchObject({ type: '4bit', bits: 4.5, suffix: '-4bit' });
    expect(mlx.command(plan, { work: '/w', threads: 1 })).toEqual([
      '--hf-path',
      '/store/org--m',
      '--mlx-path',
      '/w/out',
      '-q',
      '--q-group-size',
      '64',
      '--q-bits',
      '4',
    ]);
    const mixed = await mlx.plan(found(mlx), request(full, { type: 'mixed_4_6' }), never);
    expect(mlx.command(mixed, { work: '/w', threads: 1 }).slice(-2)).toEqual(['--quant-predicate', 'mixed_4_6']);
    for (const type of ['constructor', '--trust-remote-code', 'Q4_K_M'])
      await expect(mlx.plan(found(mlx), request(full, { type }), never)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(mlx.plan(found(mlx), request(full, { selector: 'Q4_0' }), never)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('reports the bits at its end', () => {
    expect(mlx.read('[INFO] Quantized model with 4.502 bits per weight.')).toEqual({ is: 'bits', bits: 4.502 });
    expect(mlx.read('[INFO] Loading')).toEqual({ is: 'phase', message: 'Loading' });
  });

  test('explains a failure by the exception', () => {
    const lines = [
      'Traceback (most recent call last):',
      '  File "x.py", line 1, in <module>',
      'ValueError: Model type foo not supported.',
      '',
    ];
    expect(mlx.explain(lines.slice(0, 3), 1).reason).toContain('Model type foo not supported');
    expect(mlx.explain(['Killed'], 137).hint).toMatch(/memory/);
  });
});

describe('the result of an engine', () => {
  const plan = (more: Partial<EnginePlan> = {}): EnginePlan => ({
    type: '4bit',
    input: '/x',
    sourceFiles: [],
    sourceBytes: 1,
    bits: 4.5,
    bytes: 1,
    isExact: false,
    roomBytes: 1,
    memoryBytes: 1,
    warnings: [],
    arguments: [],
    suffix: '',
    isGguf: false,
    ...more,
  });
  const check = async (
    files: Readonly<Record<string, Buffer | string>>,
    { bits = 4.5, ...more }: Partial<EnginePlan> & { bits?: number | undefined } = {},
  ) => {
    const directory = await temporaryDirectory();
    for (const [path, content] of Object.entries(files)) await writeFile(join(directory, path), content);
    const { files: made } = await scanDirectory(directory);
    return checkOutput(made, { engine: mlx, plan: plan(more), bits, signal });
  };
  const good = { 'config.json': '{}', 'model.safetensors': safetensorsBytes({ a: 64 }) };

  test('is accepted when it is complete', async () => {
    await expect(check(good)).resolves.toBeUndefined();
  });

  test.each([
    ['there are no weights', { 'config.json': '{}' }, {}],
    ['there is no config', { 'model.safetensors': safetensorsBytes({ a: 64 }) }, {}],
    ['a shard is empty', { ...good, 'model-2.safetensors': '' }, {}],
    ['a file is cut off', { ...good, 'model.safetensors': safetensorsBytes({ a: 64 }).subarray(0, -1) }, {}],
    [
      'its index names a shard that is not there',
      {
        'config.json': '{}',
        'model-00001-of-00002.safetensors': safetensorsBytes({ a: 64 }),
        'model.safetensors.index.json': '{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}',
      },
      {},
    ],
    ['its recipe was not applied', good, { bits: 8.4 }],
  ])('is refused when %s', async (_, files, more) => {
    await expect(check(files, more)).rejects.toMatchObject({ code: 'INTEGRITY' });
  });
});

describe('the choice of an engine', () => {
  const where = { env: { PATH: '/nowhere' }, platform: 'linux', arch: 'x64', homeDirectory: '/nowhere', signal } as const;

  test('depends on the files of the model', async () => {
    const choose = (path: string, named?: 'llama' | 'optiq' | 'mlx') => chooseEngine([{ path, size: 1 }], { named, of: 'org/m', where });
    await expect(choose('m.bin')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(choose('m.gguf', 'mlx')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('accepts only an absolute path, and reads the version that its installer left', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'bin'));
    await mkdir(join(directory, 'lib/python3.12/site-packages/mlx_lm-0.32.0.dist-info'), { recursive: true });
    const program = join(directory, 'bin/mlx_lm.convert');
    await writeFile(program, '#!/bin/sh\n', { mode: 0o755 });
    const find = (env: Record<string, string>) => findProgramIn(['mlx_lm.convert'], 'SKULK_ENGINE_MLX', { ...where, env });
    expect(find({ SKULK_ENGINE_MLX: program })).toBe(program);
    expect(find({ PATH: `bin:${join(directory, 'bin')}` })).toBe(program);
    expect(find({ PATH: '/nowhere' })).toBeUndefined();
    expect(await versionOfPython(program, 'mlx_lm')).toBe('0.32.0');
    expect(await versionOfPython('/nowhere/bin/optiq', 'mlx_optiq')).toBeNull();
    for (const named of ['mlx_lm.convert', `${program} --trust-remote-code`, directory])
      expect(() => find({ SKULK_ENGINE_MLX: named })).toThrow(expect.objectContaining({ code: 'ENGINE_NOT_FOUND' }));
  });
});

describe('the id of a variant', () => {
  test.each([
    ['org/Foo-GGUF', '-Q4_K_M', true, 'org/Foo-Q4_K_M-GGUF'],
    ['org/Foo-F16-GGUF', '-Q4_K_M', true, 'org/Foo-Q4_K_M-GGUF'],
    ['org/Foo-bf16', '-Q4_K_M', true, 'org/Foo-Q4_K_M-GGUF'],
    ['org/Foo', '-OptiQ-4.5bpw', false, 'org/Foo-OptiQ-4.5bpw'],
    ['Foo', '-4bit', false, 'Foo-4bit'],
  ])('of %s is derived from the type', (id, suffix, isGguf, expected) => {
    expect(nameTarget(parseModelId(id), { suffix, isGguf })).toBe(expected);
  });

  test('must be given explicitly if it would be too long', () => {
    expect(() => nameTarget(parseModelId(`org/${'a'.repeat(90)}`), { suffix: '-Q4_K_M', isGguf: true })).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', hint: expect.stringContaining('--as') }),
    );
  });
});

test('a variant gets the small files of its source, and the projector only beside GGUF weights', () => {
  const files = [
    ['README.md', 10],
    ['LICENSE', 10],
    ['tokenizer.json', 1000],
    ['card.toml', 10],
    ['movie.mp4', 200_000_000],
    ['mmproj-F16.gguf', 500_000_000],
    ['m-F16.gguf', 1000],
    ['model.safetensors', 1000],
    ['model.safetensors.index.json', 10],
  ].map(([path, size]) => ({ path, size }));
  const source = { manifest: { files } as never, directory: '/x' };
  expect(filesToCarry(source, { isGguf: true }, new Set(['LICENSE']))).toEqual(['README.md', 'tokenizer.json', 'mmproj-F16.gguf']);
  expect(filesToCarry(source, { isGguf: false }, new Set())).toEqual(['README.md', 'LICENSE', 'tokenizer.json']);
});
