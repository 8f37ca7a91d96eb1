import { defineCommand, flag } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import type { VerifiedModel } from '../core/protocol/models.ts';
import { modelsArgument } from './model-arguments.ts';

/** `skulk verify`: hash again and compare. */
export const verify = defineCommand({
  name: 'verify',
  summary: 'hash models again and compare',
  description: [
    'Reads every byte of the named models, or of all of them, and compares it with the manifest. A model of which every byte is right, but which no program can load, is "incomplete": pointers of Git LFS, web pages, empty or cut-off weights, missing shards. With --repair it mends what can be mended without losing a byte: a lost manifest, a lost registry entry, a staged copy; of a copy only the damaged quantizations are removed. With a selector only that quantization is checked, and what it shares with others.',
  ],
  arguments: { model: modelsArgument('models; all of them when none is named', { optional: true }) },
  options: {
    staging: flag("check this machine's staged copies instead of the store"),
    repair: flag('mend what can be mended'),
  },
  examples: [
    ['check the whole store', 'skulk verify'],
    ['check one quantization', 'skulk verify bartowski/Foo-GGUF:Q4_K_M'],
    ['check and mend one staged copy', 'skulk verify --staging --repair me/Foo-GGUF'],
  ],
  exits: ['not-found', 'store-unreachable', 'conflict', 'integrity'],
  run: async ({ model: refs, staging, repair }, context) => {
    const deps = await context.deps();
    const { verifyModels } = await import('../core/operations/models/verify-models.ts');
    return { ...(await verifyModels(deps, { refs, staging, repair })), staging, repair };
  },
  text: ({ models }) =>
    models.flatMap(({ status, bad_files, note, ...model }) => [
      `${nameOf(model)}: ${status}${note === undefined ? '' : ` (${note})`}`,
      ...(bad_files.length === 0
        ? []
        : [{ header: ['  FILE', 'PROBLEM'], rows: bad_files.map(({ path, problem, reason }) => [`  ${path}`, reason ?? problem]) }]),
    ]),
  json: ({ ok, models }) => ({ ok, models }),
  failure: ({ ok, models, staging, repair }) => {
    if (ok) return undefined;
    const bad = models.filter(({ status }) => status !== 'ok' && status !== 'repaired').map(nameOf);
    return new SkulkError('INTEGRITY', `not as it should be: ${bad.join(', ')}`, {
      hint: staging
        ? repair
          ? 'what could be removed is, and comes back with the next stage'
          : 'with --repair a bad copy is removed, and the next stage brings it back'
        : repair
          ? 'what is left cannot be mended from here: add or download it again with --force, or delete it'
          : 'with --repair a lost manifest or registry entry is made again; damaged content must be added or downloaded again',
    });
  },
});

const nameOf = ({ model_id: modelId, selector }: Pick<VerifiedModel, 'model_id' | 'selector'>): string =>
  selector === undefined ? modelId : `${modelId}:${selector}`;
