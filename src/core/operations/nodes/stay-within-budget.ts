import type { Deps } from '../../connect/deps.ts';
import { parseModelId } from '../../kernel/model-id.ts';
import { applyBudget, type BudgetReport } from '../../node/apply-budget.ts';
import { askAsNode } from '../../node/ask-as-node.ts';
import { ownNodeId, reportRemoval } from '../../node/catch-up.ts';
import { maxReportedEvictions } from '../../protocol/events.ts';
import { recordOnDisk } from '../store/log-change.ts';

/**
 * Applies the recency budget, and reports what it removed to the store, for its log of changes. The removals are done before the report,
 * so a store that is unreachable, or has no such log, causes only a note.
 * @param offline report nothing
 * @param reportsCopies whether to also report the remaining copies, after a removal; a caller that reports them later does not need it
 */
export async function stayWithinBudget(
  deps: Deps,
  {
    dryRun,
    offline = false,
    reportsCopies = false,
  }: { readonly dryRun: boolean; readonly offline?: boolean; readonly reportsCopies?: boolean },
): Promise<BudgetReport> {
  const report = await applyBudget(deps, { dryRun });
  if (dryRun || offline) return report;
  if (report.evicted.length > 0) await reportEvictions(deps, report);
  // A removal that failed may have removed a part of the copy.
  if (reportsCopies && (report.evicted.length > 0 || report.failed.length > 0)) await reportRemoval(deps);
  return report;
}

async function reportEvictions(deps: Deps, { evicted: copies, budget_bytes }: BudgetReport): Promise<void> {
  const evicted = copies.map(({ model_id, selector, size_bytes }) => ({
    model_id: parseModelId(model_id),
    selector,
    freed_bytes: size_bytes,
  }));
  await askAsNode(
    deps,
    async ({ reportEvictions: send, localRoot }) => {
      const node = await ownNodeId(deps);
      if (send !== undefined)
        for (let from = 0; from < evicted.length; from += maxReportedEvictions)
          await send(node, { evicted: evicted.slice(from, from + maxReportedEvictions), budget_bytes });
      else if (localRoot !== undefined) {
        const entry = { who: 'node', from: '', node, action: 'evict', target: null, code: null, budget_bytes } as const;
        await recordOnDisk(
          deps.world,
          localRoot,
          evicted.map((copy) => ({ ...entry, ...copy })),
        );
      }
    },
    (reason) => deps.world.emit({ type: 'note', message: `cannot report the evicted copies to the store: ${reason}` }),
  );
}
