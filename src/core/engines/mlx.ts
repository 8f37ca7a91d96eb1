import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { defaultBpw, type Engine } from './contract.ts';
import { findProgramIn, versionOfPython } from './find-program-in.ts';
import { explainPython } from './optiq.ts';
import { acceptsSafetensors, readWhole, usualSourceBits } from './safetensors-source.ts';

/*
 * `mlx_lm.convert` of mlx-lm: safetensors in, MLX weights out. Source: https://github.com/ml-explore/mlx-lm
 */

const groupSize = 64;
const gibibyte = 1024 ** 3;

/**
 * The types by their bits per weight: groups of 64 have a scale and an offset of 16 bits each. The numbers of mixed types are
 * approximate.
 */
const types: Readonly<Record<string, { readonly bits: number; readonly args: readonly string[] }>> = {
  ...Object.fromEntries([2, 3, 4, 5, 6, 8].map((width) => [`${width}bit`, { bits: width + 0.5, args: ['--q-bits', String(width)] }])),
  ...Object.fromEntries(
    (
      [
        ['mixed_2_6', 3.2],
        ['mixed_3_4', 3.7],
        ['mixed_3_6', 4],
        ['mixed_4_6', 4.9],
      ] as const
    ).map(([name, bits]) => [name, { bits, args: ['--quant-predicate', name] }]),
  ),
};

export const mlx: Engine = {
  name: 'mlx',
  takesTypes: true,
  install: "uv tool install mlx-lm (on Linux 'mlx-lm[cpu]')",
  fits: ({ platform, arch }) => {
    if (platform === 'linux') return true;
    return platform === 'darwin' && arch === 'arm64' ? true : 'MLX needs Apple silicon or Linux';
  },
  find: async (where) => {
    const program = findProgramIn(['mlx_lm.convert'], 'SKULK_ENGINE_MLX', where);
    if (program === undefined) return undefined;
    return { name: 'mlx', program, version: await versionOfPython(program, 'mlx_lm'), abilities: new Set() };
  },
  accepts: acceptsSafetensors,
  plan: async (_, request) => {
    const type = request.type?.toLowerCase() ?? typeWithin(request.targetBpw ?? defaultBpw);
    const found = Object.hasOwn(types, type) ? types[type] : undefined;
    if (found === undefined)
      throw new SkulkError('BAD_REQUEST', `${JSON.stringify(type.slice(0, 40))} is not a type of mlx`, {
        hint: `choose one of ${Object.keys(types).join(', ')}`,
      });
    const { sourceFiles, sourceBytes } = readWhole(request);
    const bytes = Math.round((sourceBytes * found.bits) / usualSourceBits);
    return {
      type,
      input: request.directory,
      sourceFiles,
      sourceBytes,
      bits: found.bits,
      bytes,
      isExact: false,
      roomBytes: Math.round(bytes * 1.05) + gibibyte,
      memoryBytes: Math.round(bytes * 1.3),
      warnings: request.candidateBits === undefined ? [] : ['mlx ignores candidate bits; --type mixed_4_6 mixes widths'],
      arguments: ['-q', '--q-group-size', String(groupSize), ...found.args],
      suffix: `-${type}`,
      isGguf: false,
    };
  },
  // It rejects an existing directory.
  prepare: async ({ work }) => {
    await mkdir(work, { recursive: true });
    await rm(join(work, 'out'), { recursive: true, force: true });
  },
  command: (plan, { work }) => ['--hf-path', plan.input, '--mlx-path', join(work, 'out'), ...plan.arguments],
  read: (line) => {
    const bits = /Quantized model with ([\d.]+) bits per weight/.exec(line)?.[1];
    if (bits !== undefined) return { is: 'bits', bits: Number(bits) };
    const phase = /^\[INFO\] (.{1,200})/.exec(line.trim())?.[1];
    return phase === undefined ? undefined : { is: 'phase', message: phase };
  },
  explain: explainPython,
  collect: async ({ work }) => ({ directory: join(work, 'out') }),
};

/** The largest uniform type within the bits. */
function typeWithin(bpw: number): string {
  const fitting = Object.entries(types).filter(([name, { bits }]) => /^\dbit$/.test(name) && bits <= bpw);
  const best = fitting.toSorted(([, a], [, b]) => b.bits - a.bits)[0];
  if (best !== undefined) return best[0];
  throw new SkulkError('BAD_REQUEST', `mlx cannot reach ${bpw} bits per weight`, {
    hint: 'the smallest is 2bit, with 2.5 bits per weight',
  });
}
