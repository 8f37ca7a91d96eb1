import { aside, choice, defineCommand, flag, number, type TextBlock, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { shellWord } from '../core/kernel/shell-word.ts';
import { formatBytes } from '../core/kernel/units.ts';
import type { ModelProblem } from '../core/protocol/models/entries.ts';
import { modelArgument, parseNewModelId } from './model-arguments.ts';
import { unloadableLines } from './problem-lines.ts';

/** `skulk optimize`: quantize a model in the store. */
export const optimize = defineCommand({
  name: 'optimize',
  summary: 'quantize a model in the store',
  description: [
    'Quantizes a model in the store, once for all machines. The result is a new model with its own id; the source does not change. `skulk show` prints how a result was made.',
    'An engine on the store host does the work: llama-quantize (llama.cpp) for GGUF weights, optiq (mlx-optiq) or mlx_lm.convert (mlx-lm) for safetensors. `skulk doctor` on the store host lists the installed engines. To use a specific program, set SKULK_ENGINE_LLAMA, SKULK_ENGINE_OPTIQ or SKULK_ENGINE_MLX to its absolute path.',
    'Without --type, llama uses the largest type that fits --target-bpw; --dry-run prints the type and the exact size. The source is the largest unquantized GGUF file set of the model, or the one that the selector names.',
    'One optimization runs at a time, with low priority. It continues after a restart of the store host. Exit status 2 also means that no engine is installed, or that the engine failed.',
    'Ctrl-C stops only the command: a running store host continues, and the same command waits for it again. Without a running store host, the work stops with the command.',
  ],
  arguments: { model: modelArgument('the source model') },
  options: {
    engine: choice('the engine; default: the first installed one that can read the weights', 'ENGINE', ['llama', 'optiq', 'mlx']),
    targetBpw: value('maximum bits per weight', 'BITS', { parse: parseBits, fallback: '4.5' }),
    type: value('the quantization type, e.g. Q4_K_M or mixed_4_6', 'TYPE'),
    candidateBits: value('the bit widths that optiq may use', 'LIST', { parse: parseWidths, fallback: '4,8' }),
    as: value('the id of the result', 'MODEL', { parse: parseNewModelId }),
    threads: number('threads of the engine; default: half of the processors', 'N', { from: 1, to: 1024 }),
    allowRequantize: flag('accept weights that are already quantized; this loses quality'),
    force: flag('replace a model with the id of the result'),
    dryRun: flag('only print what would be made'),
    noWait: flag('return as soon as the store host has accepted the request'),
  },
  examples: [
    ['quantize to at most 4.5 bits per weight', 'skulk optimize me/Foo-GGUF'],
    ['print what would be made', 'skulk optimize --dry-run me/Foo-GGUF'],
    ['choose the type', 'skulk optimize --type Q5_K_M me/Foo-GGUF'],
    ['quantize for MLX', 'skulk optimize --target-bpw 4.5 me/Foo'],
    ['let the store host continue alone', 'skulk optimize --no-wait me/Foo && skulk optimizations --watch'],
    ['wait for it later', 'skulk optimize me/Foo'],
  ],
  whenInterrupted:
    'a running store host continues the optimization: run the same command again to wait for it; `skulk cancel MODEL` stops it',
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space'],
  run: async ({ model: ref, as: targetId, dryRun, noWait, ...choices }, context) => {
    if (ref.revision !== undefined)
      throw new SkulkError('USAGE', 'a revision cannot be chosen here: the store has one per model', {
        hint: `omit @${ref.revision}`,
      });
    const deps = await context.deps();
    const { optimize: make, planOptimization, problemsOfResult } = await import('../core/operations/models/optimize.ts');
    const wishes = { modelId: ref.modelId, selector: ref.selector, targetId, ...choices };
    if (dryRun) return { planned: await planOptimization(deps, wishes) };
    const made = await make(deps, { wishes, wait: !noWait, join: true });
    return { ...made, ...(made.status === 'complete' && (await problemsOfResult(deps, made))) };
  },
  text: (result) => ('planned' in result ? describePlan(result.planned) : describeStatus(result)),
});

function parseBits(text: string): number {
  const bits = Number(text);
  if (/^\d{1,2}(?:\.\d{1,4})?$/.test(text) && bits >= 1 && bits <= 16) return bits;
  throw new SkulkError('USAGE', `${JSON.stringify(text)} is not a number of bits from 1 to 16`, { hint: 'e.g. --target-bpw 4.5' });
}

function parseWidths(text: string): readonly number[] {
  if (/^[2-8](?:,[2-8]){0,5}$/.test(text)) return text.split(',').map(Number);
  throw new SkulkError('USAGE', `${JSON.stringify(text)} is not a list of widths from 2 to 8`, { hint: 'e.g. --candidate-bits 4,8' });
}

interface Made {
  readonly modelId: string;
  readonly targetId: string;
  readonly status: string;
  readonly type: string;
  readonly engine: string;
  readonly engineVersion: string | null;
  readonly achievedBpw: number | null;
  readonly estimatedSizeMb: number | null;
  readonly problems?: readonly ModelProblem[];
}

const engineOf = ({ engine, engineVersion }: Pick<Made, 'engine' | 'engineVersion'>): string =>
  engineVersion === null ? engine : `${engine} (${engineVersion})`;

function describeStatus(made: Made): readonly TextBlock[] {
  const { targetId, status, type, achievedBpw, estimatedSizeMb, problems = [] } = made;
  if (status !== 'complete') return [`${targetId}: ${status}`, `to see its progress: skulk optimizations ${targetId}`];
  const size = estimatedSizeMb === null ? '' : `, ${formatBytes(estimatedSizeMb * 1_000_000)}`;
  return [
    `${targetId}: in the store, ${type}${achievedBpw === null ? '' : ` with ${achievedBpw} bits per weight`}${size}`,
    `made from ${made.modelId} by ${engineOf(made)}`,
    ...(problems.length > 0 ? unloadableLines(problems, targetId) : [aside(`next: skulk stage ${shellWord(targetId)}`)]),
  ];
}

interface Planned extends Pick<Made, 'modelId' | 'targetId' | 'type' | 'engine' | 'engineVersion'> {
  readonly program: string;
  readonly bits: number;
  readonly bytes: number;
  readonly is_exact: boolean;
  readonly source_bytes: number;
  readonly room_bytes: number;
  readonly free_bytes: number;
  readonly files: readonly string[];
  readonly warnings: readonly string[];
  readonly state: string;
}

function describePlan(plan: Planned): readonly TextBlock[] {
  const about = plan.is_exact ? '' : 'about ';
  const states: Readonly<Record<string, string>> = {
    complete: 'the store already has this result',
    taken: 'the store has another model with this id; use --force to replace it',
  };
  const state = states[plan.state];
  const [first = '', ...more] = plan.files;
  return [
    `result    ${plan.targetId}`,
    `type      ${plan.type}, ${about}${plan.bits} bits per weight`,
    `size      ${about}${formatBytes(plan.bytes)}, of ${formatBytes(plan.source_bytes)}`,
    `source    ${first}${more.length === 0 ? '' : ` and ${more.length} more`} in ${plan.modelId}`,
    // The plan is that of the store host, also when the command runs on another machine.
    `engine    ${engineOf(plan)}, ${plan.program} on the store host`,
    `disk      ${formatBytes(plan.room_bytes)} needed, ${formatBytes(plan.free_bytes)} free on the store host`,
    ...(state === undefined ? [] : [`note      ${state}`]),
    ...plan.warnings.map((warning) => `note      ${warning}`),
  ];
}
