import { defineCommand, type TextBlock } from '../cli/definition.ts';
import { downloadCells } from './download-lines.ts';
import { modelsArgument } from './model-arguments.ts';

/** `skulk optimizations`: what smaller variants the store makes and made. */
export const optimizations = defineCommand({
  name: 'optimizations',
  summary: 'list the smaller variants that the store makes',
  description: ['Lists running and waiting work, and recently finished work with its result.'],
  arguments: { model: modelsArgument('only those with these models as source or result', { optional: true }) },
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
