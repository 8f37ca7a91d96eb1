import { type CommandContext, defineCommand, duration, flag, sentence } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { nodeNames } from '../core/kernel/machine/node-names.ts';
import { formatRef, type ModelRef } from '../core/kernel/model-id.ts';
import { formatBytes } from '../core/kernel/units.ts';
import type { DeletionPlan } from '../core/operations/models/plan-deletion.ts';
import { modelsArgument } from './model-arguments.ts';
import { nodeLines, unfinishedNodes } from './node-lines.ts';

/** `skulk delete`: delete models from the store. */
export const deleteModel = defineCommand({
  name: 'delete',
  summary: 'delete models from the store',
  description: [
    'Removes the canonical copy of each model, then the staged copy on every node. On a terminal it asks first; elsewhere it needs --yes.',
    'With a selector, only that quantization is deleted; files shared with others stay. Deleting the last quantization deletes the model.',
    'Nodes that run `skulk serve` remove their copy at once, and the command waits up to five seconds for their answers (--wait). Other nodes remove theirs before their next stage, run or reconcile; the exit status is then 9. A copy in use is removed when its last use ends, or at once with --force.',
  ],
  arguments: { model: modelsArgument() },
  options: {
    force: flag('also remove staged copies that are in use'),
    dryRun: flag('only show what would be deleted'),
    ignoreMissing: flag('skip models and quantizations that the store does not have; exit status 0 if only these were named'),
    wait: duration('how long to wait for the answers of nodes', { fallback: '5s' }),
    yes: flag('do not ask'),
  },
  examples: [
    ['see what would be removed', 'skulk delete --dry-run me/Foo-GGUF'],
    ['delete without asking', 'skulk delete me/Foo-GGUF --yes'],
    ['delete without an error if the store does not have it', 'skulk delete me/Foo-GGUF --ignore-missing --yes'],
    ['delete one quantization of a model', 'skulk delete bartowski/Foo-GGUF:Q8_0'],
  ],
  whenInterrupted: '`skulk registry` lists the remaining models, `skulk nodes` lists pending deletes',
  exits: ['not-found', 'store-unreachable', 'conflict', 'partial'],
  run: async ({ model: refs, force, dryRun, ignoreMissing, wait, yes }, context) => {
    if (!dryRun && !yes && !context.canAsk())
      throw new SkulkError('USAGE', '"skulk delete" needs --yes when there is no terminal to ask on', {
        hint: '`--dry-run` shows what would be deleted',
      });
    const deps = await context.deps();
    const { planDeletion } = await import('../core/operations/models/plan-deletion.ts');
    // Also with --yes: a wrong name must be reported before the first model is deleted.
    const skipped = new Set<string>();
    const onMissing = ignoreMissing ? (ref: ModelRef): void => void skipped.add(formatRef(ref)) : undefined;
    const plan = await planDeletion(deps, { refs, onMissing });
    if (dryRun) return { ...plan, ...missingOf(skipped, ignoreMissing), dry_run: true as const };
    if (!yes && plan.models.length > 0) await askFor(plan, context);
    // With the store's names, so that nothing is listed twice.
    const whole = plan.models.filter((model) => model.is_last === true).map(nameOf);
    const { deleteModels } = await import('../core/operations/models/delete-models.ts');
    const report = await deleteModels(deps, { refs: plan.models.map(refOf), force, waitMs: wait, onMissing });
    return { ...report, ...missingOf(skipped, ignoreMissing), whole };
  },
  failure: (result) => ('dry_run' in result ? undefined : unfinishedNodes(result.nodes, result.known)),
  json: (result) => {
    if ('dry_run' in result) {
      const { known: _, ...plan } = result;
      return plan;
    }
    const { orders: _, removed: __, whole: ___, known: ____, ...report } = result;
    return report;
  },
  text: (result) => {
    if ('dry_run' in result)
      return result.models.flatMap((model) => [
        sentence(
          `would delete ${nameOf(model)} (${formatBytes(model.total_bytes)}${model.staged && model.nodes.length === 0 ? ', and the copy on this machine' : ''}${copiesOn(model.nodes, result.known)})`,
        ),
        ...(model.is_last === true ? [] : (model.files ?? []).map((path) => `  ${path}`)),
      ]);
    const nameOfDeleted = (id: string): string => result.whole.find((name) => name.startsWith(`${id},`)) ?? id;
    return [
      ...result.deleted.map((id) => sentence(`deleted ${nameOfDeleted(id)}`)),
      ...nodeLines(result.nodes, result.known).map(sentence),
      ...(result.deleted.length === 0 && result.freed_bytes === 0 ? [] : [`freed ${formatBytes(result.freed_bytes)}`]),
    ];
  },
  notice: ({ missing = [] }) => (missing.length === 0 ? undefined : `not in the store, so nothing to delete: ${missing.join(', ')}`),
});

/** Without the option nothing can be missing, and the document is the one of the library. */
const missingOf = (skipped: ReadonlySet<string>, isAsked: boolean): { readonly missing?: readonly string[] } =>
  isAsked ? { missing: [...skipped] } : {};

/** A model, or a quantization of one, in a plan. */
interface Planned {
  readonly model_id: ModelRef['modelId'];
  readonly selector?: string;
  readonly is_last?: boolean;
}

const refOf = ({ model_id: modelId, selector }: Planned): ModelRef => ({ modelId, ...(selector !== undefined && { selector }) });
const nameOf = (model: Planned): string =>
  `${formatRef(refOf(model))}${model.is_last === true ? ', its last quantization, so the whole model' : ''}`;

const maxListed = 5;

function copiesOn(nodes: DeletionPlan['models'][number]['nodes'], known: DeletionPlan['known']): string {
  if (nodes.length === 0) return '';
  const rest = nodes.length - maxListed;
  const named = nodes.slice(0, maxListed).map(nodeNames(known)).join(', ');
  return `, and the ${nodes.length === 1 ? 'copy' : 'copies'} on ${named}${rest > 0 ? ` and ${rest} more` : ''}`;
}

async function askFor({ models, known }: DeletionPlan, context: CommandContext): Promise<void> {
  const names = models.map((model) => `${nameOf(model)} (${formatBytes(model.total_bytes)}${copiesOn(model.nodes, known)})`).join(', ');
  if (await context.confirm(`Delete ${names} from the store?`)) return;
  throw new SkulkError('INTERRUPTED', 'nothing was deleted');
}
