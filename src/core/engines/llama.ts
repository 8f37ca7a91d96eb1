import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findGroup } from '../catalog/selection/find-group.ts';
import { type Group, isBroken, listGroups } from '../catalog/selection/groups.ts';
import { SkulkError } from '../kernel/errors.ts';
import { type Ask, defaultBpw, type Engine, type EngineRequest, type FoundEngine, type SourceFile } from './contract.ts';
import { findProgramIn } from './find-program-in.ts';
import { findMatrix, type Matrix, nameOfMatrix, placeMatrix, takesMatrix } from './llama-matrix.ts';
import { explainLlama, readLlamaLine } from './llama-output.ts';
import { isTypeName, type LlamaSizes, needsMatrix, readSizes, typesByBits, usualBitsOf } from './llama-types.ts';

/*
 * llama-quantize of llama.cpp: GGUF in, GGUF out, on every platform. Its output was checked with versions 0.4 and 0.7; nearly all of it
 * goes to stderr. Source: https://github.com/ggml-org/llama.cpp/tree/master/tools/quantize
 */

/** Weights with fewer bits than this are already quantized. */
const unquantizedBits = 15;
const mebibyte = 1024 * 1024;

export const llama: Engine = {
  name: 'llama',
  takesTypes: true,
  install: 'brew install llama.cpp, apt install llama.cpp-tools, or a release of github.com/ggml-org/llama.cpp',
  fits: () => true,
  find: async (where, ask) => {
    const program = findProgramIn(['llama-quantize'], 'SKULK_ENGINE_LLAMA', where);
    if (program === undefined) return undefined;
    const { lines: help } = await ask(program, ['--help']);
    if (!help.some((line) => line.includes('--allow-requantize')))
      throw new SkulkError('ENGINE_NOT_FOUND', `${program} is not llama-quantize: its --help has no --allow-requantize`, {
        hint: 'set SKULK_ENGINE_LLAMA to the path of llama-quantize',
      });
    const abilities = { '--dry-run': 'dry run', '--imatrix': 'imatrix' };
    const able = Object.entries(abilities).flatMap(([option, ability]) => (help.some((line) => line.includes(option)) ? [ability] : []));
    const types = help.flatMap((line) => /^\s*\d+\s+or\s+(\w+)\s*:/.exec(line)?.[1] ?? []);
    return {
      name: 'llama',
      program,
      version: await askVersion(program, ask),
      abilities: new Set([...types, ...able]),
    };
  },
  accepts: (files) => (listGroups(files).length > 0 ? true : 'it has no GGUF weights'),
  plan: async (found, request, ask) => {
    const group = chooseSource(request);
    const input = join(request.directory, group.ggufFile);
    const options = request.allowRequantize === true ? ['--allow-requantize'] : [];
    const matrices = await findMatrix(found, request, ask);
    const matrixFor = (type: string): Matrix | undefined => (takesMatrix(type) ? matrices.matrix : undefined);
    const measure = async (type: string): Promise<LlamaSizes> => {
      if (!found.abilities.has('dry run')) return estimate(group, type);
      // With a matrix, it uses other types for some tensors.
      const matrix = matrixFor(type);
      return dryRun(found.program, [...options, ...(matrix === undefined ? [] : ['--imatrix', matrix.absolute]), input, type], ask);
    };
    const type = request.type === undefined ? undefined : checkType(request.type.toUpperCase(), found, matrices);
    const { chosen, sizes } = type === undefined ? await chooseByBits(request, measure) : { chosen: type, sizes: await measure(type) };
    requireUnquantized(sizes.sourceBits, group, request);
    const matrix = matrixFor(chosen);
    const bytes = sizes.bytes + Math.max(0, group.sizeBytes - sizes.sourceBytes);
    return {
      type: chosen,
      input,
      sourceFiles: [...group.files.map(({ path }) => path), ...(matrix === undefined ? [] : [matrix.path])],
      sourceBytes: sizes.sourceBytes,
      bits: sizes.bits,
      bytes,
      isExact: found.abilities.has('dry run'),
      roomBytes: bytes + (matrix?.size ?? 0),
      // It streams: 96 MB for 1.2 GB of weights.
      memoryBytes: 256 * mebibyte,
      warnings: [
        ...(request.candidateBits === undefined ? [] : ['llama ignores candidate bits']),
        ...matrices.unreadable.map((path) => `llama-quantize cannot read the importance matrix ${path}; it is not used`),
      ],
      arguments: [...options, ...(matrix === undefined ? [] : ['--imatrix', nameOfMatrix(matrix)]), chosen],
      matrix,
      suffix: `-${chosen}`,
      isGguf: true,
      outputFile: `${request.baseName.replace(/-GGUF$/i, '')}-${chosen}.gguf`,
    };
  },
  prepare: async ({ work }, plan) => {
    await rm(join(work, 'out'), { recursive: true, force: true });
    await mkdir(join(work, 'out'));
    await placeMatrix(plan, work);
  },
  command: (plan, { work, threads }) => [
    ...plan.arguments.slice(0, -1),
    plan.input,
    join(work, 'out', plan.outputFile ?? 'model.gguf'),
    plan.type,
    String(threads),
  ],
  read: readLlamaLine,
  explain: explainLlama,
  collect: async ({ work }) => ({ directory: join(work, 'out') }),
};

/** It only prints its version when it starts to work, so it is called with a missing file. */
async function askVersion(program: string, ask: Ask): Promise<string | null> {
  const { lines } = await ask(program, ['/dev/null/no-such-model.gguf', '/dev/null/no-such-result.gguf', 'Q8_0']);
  for (const line of lines) {
    const version = /^version: (.{1,100})$/.exec(line)?.[1] ?? /^(?:\w+: )?build = (\d+ \(\w+\))/.exec(line)?.[1];
    if (version !== undefined) return version.trim();
  }
  return null;
}

/** The weights to read: the selected ones, else the largest unquantized ones. */
function chooseSource({ files, selector, allowRequantize }: EngineRequest): Group<SourceFile> {
  const groups = listGroups(files);
  if (selector !== undefined) {
    const found = findGroup(files, selector, groups);
    if (found.state === 'found') return requireWhole(found.group);
    throw new SkulkError('FILE_NOT_FOUND', `the model has no quantization ${selector}, or more than one`, {
      hint: `it has: ${groups.map((one) => one.selector).join(', ')}`,
    });
  }
  const bySize = groups.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  const best = bySize.find(({ label }) => label === undefined || label.isUnquantized) ?? (allowRequantize === true ? bySize[0] : undefined);
  if (best !== undefined) return requireWhole(best);
  throw alreadyQuantized(`it has only ${groups.map((one) => one.selector).join(', ')}`);
}

function requireWhole(group: Group<SourceFile>): Group<SourceFile> {
  if (!isBroken(group) && group.cut !== 'bytes') return group;
  throw new SkulkError('CONFLICT', `${group.selector} is incomplete: ${group.missing.join(', ') || 'its weights are split into parts'}`, {
    hint: 'download or add the missing files first; join parts with cat',
  });
}

const alreadyQuantized = (why: string): SkulkError =>
  new SkulkError('CONFLICT', `the weights are already quantized: ${why}`, {
    hint: 'use a model with F16, BF16 or F32 weights, or --allow-requantize, which loses quality',
  });

function requireUnquantized(bits: number, { selector }: Group, { allowRequantize }: EngineRequest): void {
  if (allowRequantize !== true && bits < unquantizedBits) throw alreadyQuantized(`${selector} has ${bits} bits per weight`);
}

function checkType(
  type: string,
  { abilities, program }: FoundEngine,
  { matrix, unreadable }: Awaited<ReturnType<typeof findMatrix>>,
): string {
  const refuse = (why: string, hint: string): never => {
    throw new SkulkError('BAD_REQUEST', `${JSON.stringify(type.slice(0, 40))} ${why}`, { hint });
  };
  const known = [...abilities].filter(isTypeName);
  if (!isTypeName(type)) return refuse('is not a quantization type', 'e.g. --type Q4_K_M');
  if (needsMatrix(type) && matrix === undefined) {
    const none = abilities.has('imatrix') ? 'the model has none' : `${program} does not take one`;
    const why = unreadable.length === 0 ? none : `${program} cannot read ${unreadable.join(', ')}`;
    return refuse(`needs an importance matrix, and ${why}`, 'e.g. --type Q3_K_S or IQ4_XS');
  }
  if (known.length > 0 && !known.includes(type)) return refuse(`is not supported by ${program}`, `supported: ${known.join(', ')}`);
  return type;
}

/** The largest type within the bits. Typical sizes give the first guess; the program itself decides. */
async function chooseByBits(
  { targetBpw = defaultBpw }: EngineRequest,
  measure: (type: string) => Promise<LlamaSizes>,
): Promise<{ readonly chosen: string; readonly sizes: LlamaSizes }> {
  const known = new Map<number, { readonly chosen: string; readonly sizes: LlamaSizes }>();
  const at = async (index: number): Promise<{ readonly chosen: string; readonly sizes: LlamaSizes } | undefined> => {
    const chosen = typesByBits[index];
    if (chosen === undefined) return undefined;
    const found = known.get(index) ?? { chosen, sizes: await measure(chosen) };
    known.set(index, found);
    return found;
  };
  let index = Math.max(
    0,
    typesByBits.findLastIndex((type) => (usualBitsOf(type) ?? 0) <= targetBpw),
  );
  let best = await at(index);
  while (best !== undefined && best.sizes.bits > targetBpw) {
    index -= 1;
    best = await at(index);
  }
  if (best === undefined)
    throw new SkulkError('BAD_REQUEST', `llama-quantize cannot reach ${targetBpw} bits per weight with this model`, {
      hint: `the smallest is ${typesByBits[0]}, with ${known.get(0)?.sizes.bits} bits per weight`,
    });
  for (let next = await at(index + 1); next !== undefined && next.sizes.bits <= targetBpw; next = await at(index + 1)) {
    best = next;
    index += 1;
  }
  return best;
}

async function dryRun(program: string, args: readonly string[], ask: Ask): Promise<LlamaSizes> {
  const { status, lines } = await ask(program, ['--dry-run', ...args]);
  const sizes = readSizes(lines);
  if (status === 0 && sizes !== undefined) return sizes;
  const { code, reason, hint } = explainLlama(lines, status);
  throw new SkulkError(code, `llama-quantize failed on the weights: ${reason}`, { hint });
}

/** For a program without a dry run (before February 2026): an estimate from the label and the typical sizes. */
async function estimate({ label, sizeBytes }: Group, type: string): Promise<LlamaSizes> {
  const sourceBits = label?.bitsPerWeight ?? usualBitsOf(label?.text ?? '') ?? label?.bits ?? 16;
  const bits = usualBitsOf(type) ?? sourceBits;
  return { sourceBytes: sizeBytes, sourceBits, bits, bytes: Math.round((sizeBytes * bits) / sourceBits) };
}
