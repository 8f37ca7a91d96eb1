import { defineCommand, flag, value } from '../cli/definition.ts';
import { describeHolder } from '../core/kernel/holder.ts';
import { parseModelId } from '../core/kernel/model-id.ts';
import { formatBytes } from '../core/kernel/units.ts';
import { failedRemovals } from './failed-removals.ts';

/** `skulk purge-staging`: remove this machine's verified copies. */
export const purgeStaging = defineCommand({
  name: 'purge-staging',
  summary: "remove this machine's verified copies",
  description: [
    'Removes copies under node_cache_path; the canonical ones in the store are never touched. A copy that is in use (skulk run, activate, stage --keep, or being staged right now) is kept and named, unless --force is given. It does not ask, as a copy can be staged again.',
  ],
  options: {
    model: value('only this model', 'MODEL', { parse: parseModelId }),
    force: flag('also remove copies that are in use'),
    dryRun: flag('only say what would be removed'),
    yes: flag('accepted for scripts; this command does not ask'),
  },
  examples: [
    ['see what would go', 'skulk purge-staging --dry-run'],
    ['remove one copy', 'skulk purge-staging --model mlx-community/Qwen3-4B-4bit'],
  ],
  exits: ['not-found', 'conflict'],
  run: async ({ model: modelId, force, dryRun }, context) => {
    const deps = await context.deps();
    const { purgeStaging: purge } = await import('../core/operations/purge-staging.ts');
    return purge(deps, { force, dryRun, ...(modelId !== undefined && { modelId }) });
  },
  text: ({ evicted, evicted_bytes, kept_in_use, dry_run }) => [
    ...evicted.map(({ model_id, size_bytes }) => `${dry_run ? 'would remove' : 'removed'} ${model_id} (${formatBytes(size_bytes)})`),
    ...kept_in_use.map(({ model_id, holders }) => `kept ${model_id}: in use by ${holders.map(describeHolder).join(', ')}`),
    `${dry_run ? 'would free' : 'freed'} ${formatBytes(evicted_bytes)}`,
  ],
  failure: ({ failed }) => failedRemovals(failed),
});
