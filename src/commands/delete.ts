import { type CommandContext, defineCommand, flag } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { formatBytes } from '../core/kernel/units.ts';
import { modelsArgument, requireWhole } from './model-arguments.ts';
import { nodeLine, unfinishedNodes } from './node-lines.ts';

/** `skulk delete`: remove models from the store. */
export const deleteModel = defineCommand({
  name: 'delete',
  summary: 'delete models from the store',
  description: [
    'Removes the canonical copy of each model, then the staged copy on every machine that stages from the store. On a terminal it asks first; elsewhere it needs --yes.',
    'Machines that listen (`skulk serve`) answer within five seconds; others do it before their next stage, run or reconcile, and the exit status is 9 until then. A copy in use goes when its last use ends, with --force at once.',
  ],
  arguments: { model: modelsArgument() },
  options: {
    force: flag('also evict copies that are in use'),
    dryRun: flag('only say what would be deleted'),
    yes: flag('do not ask'),
  },
  examples: [
    ['see what would go', 'skulk delete --dry-run me/Foo-GGUF'],
    ['delete without a question', 'skulk delete me/Foo-GGUF --yes'],
  ],
  whenInterrupted: '`skulk registry` says what is still there, `skulk nodes` what machines still have to do',
  exits: ['not-found', 'store-unreachable', 'conflict', 'partial'],
  run: async ({ model: refs, force, dryRun, yes }, context) => {
    const modelIds = refs.map((ref) => requireWhole(ref, { command: 'delete', cannot: 'remove' }));
    if (!dryRun && !yes && !context.canAsk())
      throw new SkulkError('USAGE', '"skulk delete" needs --yes when there is no terminal to ask on', {
        hint: '`--dry-run` shows what would be deleted',
      });
    const deps = await context.deps();
    const { deleteModels, planDeletion } = await import('../core/operations/models/delete-models.ts');
    // Also with --yes: a name that is wrong must be told before the first model is gone.
    const plan = await planDeletion(deps, { refs });
    if (dryRun) return { ...plan, dry_run: true as const };
    if (!yes) await askFor(plan.models, context);
    return deleteModels(deps, { modelIds, force });
  },
  failure: (result) => ('dry_run' in result ? undefined : unfinishedNodes(result.nodes)),
  json: (result) => {
    if ('dry_run' in result) return result;
    const { orders: _, ...report } = result;
    return report;
  },
  text: (result) => {
    if ('dry_run' in result)
      return result.models.map(
        ({ model_id, total_bytes, staged, staged_on }) =>
          `would delete ${model_id} (${formatBytes(total_bytes)}${staged && staged_on.length === 0 ? ', and the copy on this machine' : ''}${copiesOn(staged_on)})`,
      );
    return [...result.deleted.map((id) => `deleted ${id}`), ...result.nodes.map(nodeLine), `freed ${formatBytes(result.freed_bytes)}`];
  },
});

const maxListed = 5;

function copiesOn(machines: readonly string[]): string {
  if (machines.length === 0) return '';
  const rest = machines.length - maxListed;
  const named = machines.slice(0, maxListed).join(', ');
  return `, and the ${machines.length === 1 ? 'copy' : 'copies'} on ${named}${rest > 0 ? ` and ${rest} more` : ''}`;
}

async function askFor(
  models: readonly { readonly model_id: string; readonly total_bytes: number; readonly staged_on: readonly string[] }[],
  context: CommandContext,
): Promise<void> {
  const names = models
    .map(({ model_id, total_bytes, staged_on }) => `${model_id} (${formatBytes(total_bytes)}${copiesOn(staged_on)})`)
    .join(', ');
  if (await context.confirm(`Delete ${names} from the store?`)) return;
  throw new SkulkError('INTERRUPTED', 'nothing was deleted');
}
