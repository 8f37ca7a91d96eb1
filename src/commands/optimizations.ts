import { defineCommand, type TextBlock } from '../cli/definition.ts';
import { downloadCells } from './download-lines.ts';
import { modelsArgument } from './model-arguments.ts';

/** `skulk optimizations`: list optimizations. */
export const optimizations = defineCommand({
  name: 'optimizations',
  summary: 'list optimizations',
  description: ['Lists running, waiting and recently finished optimizations.'],
  arguments: { model: modelsArgument('only optimizations with these sources or results', { optional: true }) },
  examples: [
    ['list them', 'skulk optimizations'],
    [
      'bits per weight of finished ones',
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
            header: ['RESULT', 'SOURCE', 'ENGINE', 'STATUS', 'DONE', 'BYTES', 'RATE', 'LEFT', 'ERROR'],
            rows: all.map((one) => [one.targetId, one.modelId, one.engine, ...downloadCells(one)]),
            alignRight: [4],
          },
        ],
  notice: ({ optimizations: all }) => (all.length === 0 ? 'no optimizations; `skulk optimize MODEL` starts one' : undefined),
});
