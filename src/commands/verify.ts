import { defineCommand, flag } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import type { VerifiedModel } from '../core/protocol/models/verify-report.ts';
import { modelsArgument } from './model-arguments.ts';

/** `skulk verify`: hash again and compare. */
export const verify = defineCommand({
  name: 'verify',
  summary: 'verify models against their checksums',
  description: [
    'Hashes the named models, or all of them, and compares them with their manifests. A model "cannot be used" (incomplete in JSON) if every byte is correct but no program can load it: Git LFS pointers, web pages, empty or truncated weights, missing shards. --repair restores a lost manifest or registry entry, and removes damaged quantizations of staged copies; it never changes model files in the store. With a selector, only that quantization and its shared files are checked.',
  ],
  arguments: { model: modelsArgument('models; default: all', { optional: true }) },
  options: {
    staging: flag("check this machine's staged copies instead of the store"),
    repair: flag('restore lost records, or remove damaged staged copies'),
  },
  examples: [
    ['check the whole store', 'skulk verify'],
    ['check one quantization', 'skulk verify bartowski/Foo-GGUF:Q4_K_M'],
    ['check and repair one staged copy', 'skulk verify --staging --repair me/Foo-GGUF'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity'],
  run: async ({ model: refs, staging, repair }, context) => {
    const deps = await context.deps();
    const { verifyModels } = await import('../core/operations/models/verify-models.ts');
    return { ...(await verifyModels(deps, { refs, staging, repair })), staging, repair };
  },
  text: ({ models }) =>
    models.flatMap(({ status, bad_files, note, ...model }) => [
      {
        line: [`${nameOf(model)}: ${status === 'incomplete' ? 'cannot be used' : status}`, note === undefined ? '' : ` (${note})`],
        indent: 4,
      },
      ...(bad_files.length === 0
        ? []
        : [
            {
              header: ['  FILE', 'PROBLEM'],
              rows: bad_files.map(({ path, problem, reason }) => [`  ${path}`, reason ?? problem]),
              under: 1,
            },
          ]),
    ]),
  json: ({ ok, models }) => ({ ok, models }),
  failure: ({ ok, models, staging, repair }) => {
    if (ok) return undefined;
    const bad = models.filter(({ status }) => status !== 'ok' && status !== 'repaired').map(nameOf);
    return new SkulkError('INTEGRITY', `failed verification: ${bad.join(', ')}`, { hint: hintFor({ models, staging, repair }) });
  },
});

const nameOf = ({ model_id: modelId, selector }: Pick<VerifiedModel, 'model_id' | 'selector'>): string =>
  selector === undefined ? modelId : `${modelId}:${selector}`;

/** What helps, which depends on where the damage is and what was tried. */
function hintFor({
  models,
  staging,
  repair,
}: {
  readonly models: readonly VerifiedModel[];
  readonly staging: boolean;
  readonly repair: boolean;
}): string {
  const isDamaged = models.some(({ status }) => status !== 'ok' && status !== 'repaired' && status !== 'incomplete');
  if (!isDamaged) return 'the files are unchanged, but incomplete: add or download a complete model with --force, or delete it';
  if (staging)
    return repair
      ? 'damaged copies were removed where possible; the next stage copies them again'
      : '--repair removes a damaged copy; the next stage copies it again';
  return repair
    ? 'the rest cannot be repaired here: add or download it again with --force, or delete it'
    : '--repair restores a lost manifest or registry entry; damaged files must be added or downloaded again';
}
