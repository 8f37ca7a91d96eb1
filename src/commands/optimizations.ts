import { defineCommand, type TextBlock } from '../cli/definition.ts';
import { downloadCells } from './download-lines.ts';
import { modelsArgument } from './model-arguments.ts';

/** `skulk optimizations`: what smaller variants the store makes and made. */
export const optimizations = defineCommand({
  name: 'optimizations',
  summary: 'list the smaller variants of models that the store makes',
  description: ['Lists those that are made or wait for their turn, and those that ended lately with what became of them.'],
  arguments: { model: modelsArgument('only those that read or make these models', { optional: true }) },
  examples: [
    ['list them', 'skulk optimizations'],
    [
      'the bits of those that are done',
      'skulk optimizations --json | jq \'.optimizations[] | select(.status == "complete") | [.targetId, .achievedBpw]\'',
    ],
  ],
  exits: ['store-unreachable'],
  run: async ({ model: refs }, context) => {
    const deps = await context.deps();
    const { listOptimizations } = await import('../core/operations/models/optimize.ts');
    return listOptimizations(deps, { recent: true, refs });
  },
  text: ({ optimizations: all }): readonly TextBlock[] =>
    all.length === 0
      ? []
      : [
          {
            header: ['RESULT', 'OF', 'ENGINE', 'STATUS', 'DONE', 'BYTES', 'RATE', 'LEFT', 'ERROR'],
            rows: all.map((one) => [one.targetId, one.modelId, one.engine, ...downloadCells(one)]),
            alignRight: [4],
          },
        ],
  notice: ({ optimizations: all }) => (all.length === 0 ? 'none; `skulk optimize MODEL` begins one' : undefined),
});
