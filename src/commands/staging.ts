import { defineCommand, sentence, type TableCell } from '../cli/definition.ts';
import { formatBytes, plural } from '../core/kernel/units.ts';
import { describeHolders } from '../core/protocol/holder.ts';
import type { StagingList } from '../core/protocol/staging.ts';
import { unloadableModels } from './problem-lines.ts';

/** `skulk staging`: this machine's verified copies. */
export const staging = defineCommand({
  name: 'staging',
  summary: "list this machine's verified copies",
  description: [
    'Lists the copies under node_cache_path, most recently used first, with their size and the processes that use them. Copies that no program can load are listed below the table, with the reason.',
  ],
  examples: [
    ['list the copies', 'skulk staging'],
    ['get their total size in bytes', 'skulk staging --json | jq .total_bytes'],
  ],
  exits: [],
  run: async (_, context) => {
    const deps = await context.deps();
    const { listStagingWithProblems } = await import('../core/operations/nodes/list-staging-problems.ts');
    return listStagingWithProblems(deps);
  },
  text: ({ staging_root, models, unfinished, total_bytes, free_bytes, foreign }) => [
    sentence(`${staging_root}: ${plural(models.length, 'model')}, ${formatBytes(total_bytes)}, ${formatBytes(free_bytes)} free`),
    ...(models.length === 0
      ? []
      : [{ header: ['MODEL', 'SIZE', 'LAST USED', 'IN USE BY'], rows: models.flatMap(toRows), alignRight: [1] }]),
    ...models.flatMap(({ model_id, verified }) => (verified === 'arrival' ? [`only hashed on arrival: ${model_id}`] : [])),
    ...unfinished.map(({ model_id, size_bytes }) => `unfinished: ${model_id}, ${formatBytes(size_bytes)}`),
    ...(foreign.length === 0 ? [] : [sentence(`not created by skulk, not touched: ${foreign.join(', ')}`)]),
  ],
  notice: ({ models }) => unloadableModels(models).join('\n') || undefined,
});

type Models = StagingList['models'];

/** A model with named quantizations has one row for each. */
function toRows({ model_id, quantizations, ...model }: Models[number]): readonly (readonly TableCell[])[] {
  const named = quantizations.filter(({ selector }) => selector !== null);
  if (named.length === 0) return [toRow(model_id, model)];
  return quantizations.map((one) => toRow(one.selector === null ? model_id : `${model_id}:${one.selector}`, one));
}

const toRow = (
  name: string,
  { size_bytes, last_used, in_use, holders }: Pick<Models[number], 'size_bytes' | 'last_used' | 'in_use' | 'holders'>,
): readonly TableCell[] => [name, formatBytes(size_bytes), { time: last_used }, in_use ? describeHolders(holders) || 'yes' : ''];
