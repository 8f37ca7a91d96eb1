import { choice, defineCommand, flag, number, type TextBlock, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { shellWord } from '../core/kernel/shell-word.ts';
import { formatBytes } from '../core/kernel/units.ts';
import { modelArgument, parseNewModelId } from './model-arguments.ts';

/** `skulk optimize`: have the store make a smaller variant of a model. */
export const optimize = defineCommand({
  name: 'optimize',
  summary: 'have the store make a smaller variant of a model',
  description: [
    'Makes a quantization of full weights in the store, once for all machines. The result is a new model with its own id; the source does not change. `skulk show` prints how it was made.',
    'An engine on the store host does the work: llama-quantize of llama.cpp for GGUF weights, optiq (mlx-optiq) or mlx_lm.convert (mlx-lm) for safetensors. `skulk doctor` on the store host lists the installed engines. SKULK_ENGINE_LLAMA, SKULK_ENGINE_OPTIQ and SKULK_ENGINE_MLX set another program by its absolute path.',
    'Without --type, llama uses the largest type with at most --target-bpw bits per weight; --dry-run shows it, and the size of the result. If the model has several GGUF weights, the largest unquantized ones are read, or those of the selector.',
    'One engine runs at a time, with low priority. After a restart of the store host, the work starts again. Exit status 2 also means that no engine is installed or that it failed.',
  ],
  arguments: { model: modelArgument('the model with full weights') },
  options: {
    engine: choice('the engine; default: the first installed one that can read the weights', 'ENGINE', ['llama', 'optiq', 'mlx']),
    targetBpw: value('maximum bits per weight', 'BITS', { parse: parseBits, fallback: '4.5' }),
    type: value('the type, by its name in the engine, e.g. Q4_K_M or mixed_4_6', 'TYPE'),
    candidateBits: value('the bit widths that optiq may choose for a layer', 'LIST', { parse: parseWidths, fallback: '4,8' }),
    as: value('the id of the result', 'MODEL', { parse: parseNewModelId }),
    threads: number('threads of the engine; default: half of those of the store host', 'N', { from: 1, to: 1024 }),
    allowRequantize: flag('also accept weights that are already quantized, with a loss of quality'),
    force: flag('replace an existing model with the id of the result'),
    dryRun: flag('only show what would be made'),
    noWait: flag('return as soon as the store host has accepted the work'),
  },
  examples: [
    ['make a variant of about 4.5 bits', 'skulk optimize me/Foo-GGUF'],
    ['see what would be made', 'skulk optimize --dry-run me/Foo-GGUF'],
    ['one type of GGUF', 'skulk optimize --type Q5_K_M me/Foo-GGUF'],
    ['a variant for MLX', 'skulk optimize --target-bpw 4.5 me/Foo'],
    ['run it in the background', 'skulk optimize --no-wait me/Foo && skulk optimizations'],
  ],
  whenInterrupted: 'a running store host continues: `skulk optimizations` shows the progress, `skulk cancel MODEL` stops it',
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity', 'no-space'],
  run: async ({ model: ref, as: targetId, dryRun, noWait, ...choices }, context) => {
    if (ref.revision !== undefined)
      throw new SkulkError('USAGE', 'the store has one revision of a model, so a revision cannot be chosen', {
        hint: `omit @${ref.revision}`,
      });
    const deps = await context.deps();
    const { optimize: make, planOptimization } = await import('../core/operations/models/optimize.ts');
    const wishes = { modelId: ref.modelId, selector: ref.selector, targetId, ...choices };
    if (dryRun) return { planned: await planOptimization(deps, wishes) };
    return make(deps, { wishes, wait: !noWait });
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
}

const engineOf = ({ engine, engineVersion }: Pick<Made, 'engine' | 'engineVersion'>): string =>
  engineVersion === null ? engine : `${engine} (${engineVersion})`;

function describeStatus(made: Made): readonly TextBlock[] {
  const { targetId, status, type, achievedBpw, estimatedSizeMb } = made;
  if (status !== 'complete') return [`${targetId}: ${status}`, `to see its progress: skulk optimizations ${targetId}`];
  const size = estimatedSizeMb === null ? '' : `, ${formatBytes(estimatedSizeMb * 1_000_000)}`;
  return [
    `${targetId}: in the store, ${type}${achievedBpw === null ? '' : ` with ${achievedBpw} bits for each weight`}${size}`,
    `made of ${made.modelId} by ${engineOf(made)}`,
    `next: skulk stage ${shellWord(targetId)}`,
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
    complete: 'the store already has this variant',
    taken: 'the store has another model with this id; only --force replaces it',
  };
  const state = states[plan.state];
  const [first = '', ...more] = plan.files;
  return [
    `result    ${plan.targetId}`,
    `type      ${plan.type}, ${about}${plan.bits} bits for each weight`,
    `size      ${about}${formatBytes(plan.bytes)} (${plan.bytes} bytes), of ${formatBytes(plan.source_bytes)}`,
    `reads     ${first}${more.length === 0 ? '' : ` and ${more.length} more`} of ${plan.modelId}`,
    `engine    ${engineOf(plan)}, ${plan.program}`,
    `room      ${formatBytes(plan.room_bytes)} needed, ${formatBytes(plan.free_bytes)} free on the disk of the store`,
    ...(state === undefined ? [] : [`note      ${state}`]),
    ...plan.warnings.map((warning) => `note      ${warning}`),
  ];
}
