import { defineCommand, flag, type TextBlock } from '../cli/definition.ts';
import { downloadCells, type ShownJob } from './download-lines.ts';
import { modelsArgument } from './model-arguments.ts';

/** `skulk optimizations`: list optimizations. */
export const optimizations = defineCommand({
  name: 'optimizations',
  summary: 'list optimizations',
  description: [
    'Lists running, waiting and recently finished optimizations.',
    'With --watch it continues until q or Ctrl-C. As with `skulk downloads --watch`, the list is updated in place on a terminal, and printed again after a change in a pipe.',
  ],
  arguments: { model: modelsArgument('only optimizations with these sources or results', { optional: true }) },
  options: { watch: flag('update the list as it changes') },
  examples: [
    ['list them', 'skulk optimizations'],
    ['watch them', 'skulk optimizations --watch'],
    [
      'bits per weight of finished ones',
      'skulk optimizations --json | jq \'.optimizations[] | select(.status == "complete") | [.targetId, .achievedBpw]\'',
    ],
  ],
  exits: ['store-unreachable'],
  run: async ({ model: refs, watch }, context) => {
    const deps = await context.deps();
    const { isOfOneOf, listOptimizations } = await import('../core/operations/models/optimize.ts');
    if (watch) {
      const { watchOptimizations } = await import('../core/operations/live/watch-lists.ts');
      await context.watch('optimizations', {
        follow: watchOptimizations(deps),
        result: ({ optimizations: all }) => {
          const wanted = all?.filter((one) => isOfOneOf(refs, one));
          return wanted === undefined ? undefined : { json: { optimizations: wanted }, text: tableOf(wanted) };
        },
      });
      return { watched: true } as const;
    }
    return listOptimizations(deps, { recent: true, refs });
  },
  text: (result) => ('watched' in result ? [] : tableOf(result.optimizations)),
  json: (result) => ('watched' in result ? undefined : result),
  notice: (result) =>
    'optimizations' in result && result.optimizations.length === 0 ? 'no optimizations; `skulk optimize MODEL` starts one' : undefined,
});

const tableOf = (
  all: readonly (ShownJob & { readonly targetId: string; readonly modelId: string; readonly engine: string })[],
): readonly TextBlock[] =>
  all.length === 0
    ? []
    : [
        {
          header: ['RESULT', 'SOURCE', 'ENGINE', 'STATUS', 'DONE', 'BYTES', 'RATE', 'LEFT', 'ERROR'],
          rows: all.map((one) => [one.targetId, one.modelId, one.engine, ...downloadCells(one)]),
          alignRight: [4],
          isWhole: [3, 5, 6, 7],
          optional: [5, 2],
          apart: 8,
        },
      ];
