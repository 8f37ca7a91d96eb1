import { defineCommand, flag } from '../cli/definition.ts';
import { plural } from '../core/kernel/units.ts';
import type { ReconcileReport } from '../core/operations/nodes/reconcile.ts';
import { budgetLines } from './budget-lines.ts';
import { failedRemovals } from './failed-removals.ts';
import { orderLine } from './node-lines.ts';

/** `skulk reconcile`: what a node does when it starts. */
export const reconcile = defineCommand({
  name: 'reconcile',
  summary: "tidy up this machine's copies",
  description: [
    'Drops leases of processes that are gone, removes unfinished copies that nobody went on with for a week, empties the trash, does what the store asked of this machine meanwhile (delete, purge-staging --all-nodes), and evicts idle copies as the budget says (staging_keep_recent_gb, cleanup_on_deactivate). `skulk serve` does the same when it starts; without it, run this from cron.',
  ],
  options: { dryRun: flag('only say what would be done') },
  examples: [
    ['see what would go', 'skulk reconcile --dry-run'],
    ['every hour, in a crontab', '0 * * * * skulk reconcile --quiet'],
  ],
  exits: ['conflict', 'partial'],
  run: async ({ dryRun }, context) => {
    const deps = await context.deps();
    const { reconcile: tidyUp } = await import('../core/operations/nodes/reconcile.ts');
    return tidyUp(deps, { dryRun, receiveOrders: true });
  },
  text: (report) => linesOf(report),
  notice: (report) => (linesOf(report).length === 0 ? 'nothing to do' : undefined),
  failure: ({ failed }) => failedRemovals(failed),
});

function linesOf({ dropped_leases, stale_partials, trash_entries, orders, ...budget }: ReconcileReport): readonly string[] {
  const did = budget.dry_run ? 'would drop' : 'dropped';
  return [
    ...dropped_leases.map(({ model_id, purpose }) => `${did} a lease on ${model_id} (${purpose}) that nobody holds any more`),
    ...stale_partials.map((model_id) => `${did} an unfinished copy of ${model_id}`),
    ...(trash_entries === 0 ? [] : [`${did} ${plural(trash_entries, 'leftover')} of earlier removals`]),
    ...orders.map(orderLine),
    ...budgetLines(budget),
  ];
}
