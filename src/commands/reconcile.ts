import { aside, defineCommand, flag, sentence, type TextBlock } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { plural } from '../core/kernel/units.ts';
import type { ReconcileReport } from '../core/operations/nodes/reconcile.ts';
import { budgetLines } from './budget-lines.ts';
import { failedRemovals } from './failed-removals.ts';
import { orderLine } from './node-lines.ts';

/** `skulk reconcile`: the cleanup that a node does when it starts. */
export const reconcile = defineCommand({
  name: 'reconcile',
  summary: "clean up this machine's copies and apply the budget",
  description: [
    'Removes the leases of processes that have ended and unfinished copies older than a week, and empties the trash. Then it carries out pending deletes and purges of the store, and evicts idle copies that exceed the budget (staging_keep_recent_gb, cleanup_on_deactivate). `skulk serve` does the same when it starts; on a machine without a server, run this command from cron.',
    'If the store refuses access, the local cleanup still runs, and the exit status is 2. If the store does not answer, there is only a warning. --quiet hides removed leases, but not these two messages. A store that is closed to the LAN needs a token. cron does not have the SKULK_TOKEN of your shell, so put the token into model_store.auth.token of the skulk.yaml that cron finds.',
  ],
  options: { dryRun: flag('only show what would be done') },
  examples: [
    ['see what would be removed', 'skulk reconcile --dry-run'],
    ['every hour, in a crontab', '0 * * * * skulk reconcile --quiet'],
  ],
  exits: ['conflict', 'partial'],
  run: async ({ dryRun }, context) => {
    const deps = await context.deps();
    const { reconcile: tidyUp } = await import('../core/operations/nodes/reconcile.ts');
    return tidyUp(deps, { dryRun, receiveOrders: true });
  },
  text: (report) => linesOf(report),
  notice: (report) => (linesOf(report).length === 0 && report.refused === null ? 'nothing to do' : undefined),
  failure: ({ failed, refused }) =>
    refused === null ? failedRemovals(failed) : new SkulkError(refused.code, refused.message, { hint: refused.hint ?? undefined }),
});

/** The lines of the result. With `--quiet`, a crontab line sends no mail about what is routine: the end of a lease, no budget. */
function linesOf({ dropped_leases, stale_partials, trash_entries, orders, ...budget }: ReconcileReport): readonly TextBlock[] {
  const did = budget.dry_run ? 'would remove' : 'removed';
  return [
    ...dropped_leases.map(({ model_id, purpose }) =>
      aside(`${did} a lease on ${model_id} (${purpose}), because its process is gone or its time is over`),
    ),
    ...stale_partials.map((model_id) => `${did} an unfinished copy of ${model_id}`),
    ...(trash_entries === 0 ? [] : [`${did} ${plural(trash_entries, 'leftover')} of earlier removals`]),
    ...orders.map((one) => sentence(orderLine(one, { dryRun: budget.dry_run }))),
    ...budgetLines(budget).map(budget.skipped === null ? sentence : aside),
  ];
}
