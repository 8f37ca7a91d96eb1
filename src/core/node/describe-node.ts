import type { Deps } from '../connect/deps.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { NodeReport } from '../protocol/fleet.ts';
import { maxReportedCopies } from '../protocol/fleet.ts';
import type { ReportedCopy } from '../protocol/models/reported-copy.ts';
import { diskRoom } from '../transfer/disk-room.ts';
import { type ClassifiedGroup, classifyCopies } from './classify-copies.ts';
import { knownOrders } from './known-orders.ts';

/**
 * This node's report.
 * @param full whether to include the copies, which takes a moment if there are many
 * @param isEnding whether this process is about to release its leases
 */
export async function describeNode(
  { world, config }: Deps,
  nodeId: NodeId,
  { agent, full, isEnding = false }: { readonly agent: boolean; readonly full: boolean; readonly isEnding?: boolean },
): Promise<NodeReport> {
  const who = { node_id: nodeId, hostname: world.hostname, version: world.version, agent, knows: knownOrders };
  if (!full) return { ...who, staged_models: null, staged_bytes: null, free_bytes: null, copies: null, budget_bytes: null };
  const { copies, budgetBytes } = await classifyCopies({ config, world }, { isEnding });
  return {
    ...who,
    staged_models: copies.length,
    staged_bytes: copies.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    free_bytes: (await diskRoom(config.settings.nodeCachePath.value)).free,
    copies: copies.slice(0, maxReportedCopies).map(({ modelId, sizeBytes, lastUsed, holders, isOverBudget, quantizations }) => ({
      model_id: modelId,
      size_bytes: sizeBytes,
      last_used: lastUsed.toISOString(),
      in_use: holders.length > 0,
      over_budget: isOverBudget,
      ...reportQuantizations(quantizations),
    })),
    budget_bytes: budgetBytes,
  };
}

/** The maximum number in a report. */
const maxReportedQuantizations = 100;

/** Empty for a model without quantizations. */
function reportQuantizations(groups: readonly ClassifiedGroup[]): Partial<Pick<ReportedCopy, 'quantizations'>> {
  if (groups.every(({ selector }) => selector === null)) return {};
  return {
    quantizations: groups.slice(0, maxReportedQuantizations).map(({ selector, digest, sizeBytes, lastUsed, holders, isOverBudget }) => ({
      selector,
      digest,
      size_bytes: sizeBytes,
      last_used: lastUsed.toISOString(),
      in_use: holders.length > 0,
      over_budget: isOverBudget,
    })),
  };
}
