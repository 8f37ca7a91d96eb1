import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { defaultBpw, type Engine } from './contract.ts';
import { findProgramIn, versionOfPython } from './find-program-in.ts';
import { acceptsSafetensors, readWhole, usualSourceBits } from './safetensors-source.ts';

/*
 * `optiq convert` of mlx-optiq: safetensors in, MLX weights of mixed widths out; it measures the loss of each layer. Beside the result it
 * leaves a uniform baseline and its measurements, which a run after an interruption reuses. Source: https://mlx-optiq.com
 */

const defaults = { bpw: defaultBpw, candidateBits: [4, 8] } as const;
const gibibyte = 1024 ** 3;
/** The directory of the result; everything beside it is ignored. */
const resultDirectory = 'optiq_mixed';

export const optiq: Engine = {
  name: 'optiq',
  takesTypes: false,
  install: "uv tool install 'mlx-optiq[convert]' (Apple silicon)",
  fits: ({ platform, arch }) => (platform === 'darwin' && arch === 'arm64' ? true : 'it needs Apple silicon'),
  find: async (where) => {
    const program = findProgramIn(['optiq'], 'SKULK_ENGINE_OPTIQ', where);
    if (program === undefined) return undefined;
    return { name: 'optiq', program, version: await versionOfPython(program, 'mlx_optiq'), abilities: new Set() };
  },
  accepts: acceptsSafetensors,
  plan: async (_, request) => {
    const { targetBpw = defaults.bpw, candidateBits = defaults.candidateBits, type } = request;
    if (type !== undefined)
      throw new SkulkError('BAD_REQUEST', 'optiq does not support --type', {
        hint: 'use --target-bpw and --candidate-bits',
      });
    if (targetBpw < Math.min(...candidateBits))
      throw new SkulkError('BAD_REQUEST', `layers of ${candidateBits.join(' and ')} bits cannot average ${targetBpw} bits`, {
        hint: 'add a smaller width to --candidate-bits',
      });
    const { sourceFiles, sourceBytes } = readWhole(request);
    const bytes = Math.round((sourceBytes * targetBpw) / usualSourceBits);
    return {
      type: `${targetBpw.toFixed(1)}bpw`,
      input: request.directory,
      sourceFiles,
      sourceBytes,
      bits: targetBpw,
      bytes,
      isExact: false,
      // The baseline and intermediate files are beside the result.
      roomBytes: 3 * bytes + gibibyte,
      memoryBytes: sourceBytes + bytes,
      warnings: ['optiq removes vision and audio parts of a model'],
      arguments: ['--target-bpw', String(targetBpw), '--candidate-bits', candidateBits.join(',')],
      suffix: `-OptiQ-${targetBpw.toFixed(1)}bpw`,
      isGguf: false,
    };
  },
  prepare: async ({ work }) => {
    await mkdir(join(work, 'out'), { recursive: true });
    for (const name of [resultDirectory, 'static_mixed']) await rm(join(work, 'out', name), { recursive: true, force: true });
  },
  command: (plan, { work }) => ['convert', plan.input, '--output', join(work, 'out'), ...plan.arguments],
  read: (line) => {
    const [, step, steps, doing] = /^\[(\d{1,2})\/(\d{1,2})\]\s+(.{1,200})/.exec(line.trim()) ?? [];
    if (step === undefined || Number(steps) === 0) return undefined;
    return { is: 'phase', message: `step ${step} of ${steps}: ${doing}`, fraction: Math.min(1, (Number(step) - 1) / Number(steps)) };
  },
  explain: explainPython,
  collect: async ({ work }) => {
    const directory = join(work, 'out', resultDirectory);
    const facts = await readJson(join(directory, 'optiq_metadata.json'));
    const bits = (facts as { achieved_bpw?: unknown } | undefined)?.achieved_bpw;
    if (typeof bits === 'number' && Number.isFinite(bits) && bits > 0) return { directory, bits };
    throw new SkulkError(
      'INTEGRITY',
      `optiq reported success, but there is no result: ${resultDirectory}/optiq_metadata.json has no achieved_bpw`,
      {
        hint: 'run optiq yourself on the store host for details',
      },
    );
  },
};

/** Explains a failure from a Python program's last lines: its exception is the last line that is not a frame of a traceback. */
export function explainPython(lines: readonly string[], status: number): ReturnType<Engine['explain']> {
  const error = lines.findLast((line) => /^[\w.]*(?:Error|Exception|Interrupt)\b/.test(line)) ?? lines.at(-1);
  const isMemory = lines.some((line) => /out of memory|MemoryError|Insufficient Memory/i.test(line)) || status === 137;
  return {
    code: 'ENGINE_FAILED',
    reason: `it exited with status ${status}: ${error?.slice(0, 300) ?? 'no output'}`,
    hint: isMemory ? 'the machine may not have enough memory for this model' : 'run the program yourself on the store host for details',
  };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
