import { defineCommand, type TableCell } from '../cli/definition.ts';
import { formatBytes, plural } from '../core/kernel/units.ts';
import { describeHolder, type Holder } from '../core/protocol/holder.ts';

/** `skulk staging`: this machine's verified copies. */
export const staging = defineCommand({
  name: 'staging',
  summary: "list this machine's verified copies",
  description: ['Lists the copies under node_cache_path, newest use first, with their size and who uses them.'],
  examples: [
    ['list the copies', 'skulk staging'],
    ['how many bytes they take', 'skulk staging --json | jq .total_bytes'],
  ],
  exits: [],
  run: async (_, context) => {
    const deps = await context.deps();
    const { listStaging } = await import('../core/operations/nodes/list-staging.ts');
    return listStaging(deps);
  },
  text: ({ staging_root, models, unfinished, total_bytes, free_bytes, foreign }) => [
    `${staging_root}: ${plural(models.length, 'model')}, ${formatBytes(total_bytes)}, ${formatBytes(free_bytes)} free`,
    ...(models.length === 0 ? [] : [{ header: ['MODEL', 'SIZE', 'LAST USED', 'IN USE BY'], rows: models.map(toRow), alignRight: [1] }]),
    ...unfinished.map(({ model_id, size_bytes }) => `unfinished: ${model_id}, ${formatBytes(size_bytes)}`),
    ...(foreign.length === 0 ? [] : [`not skulk's, left alone: ${foreign.join(', ')}`]),
  ],
});

function toRow(model: {
  model_id: string;
  size_bytes: number;
  last_used: string | null;
  in_use: boolean;
  holders: readonly Holder[];
}): readonly TableCell[] {
  return [
    model.model_id,
    formatBytes(model.size_bytes),
    model.last_used === null ? 'never' : { time: model.last_used },
    model.in_use ? model.holders.map(describeHolder).join(', ') || 'yes' : '',
  ];
}
