import type { Deps } from '../connect/deps.ts';
import type { Fleet } from '../fleet/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { Order, OrderOutcome } from '../protocol/fleet.ts';
import { carryOutOrder, settleOutcome } from './carry-out-order.ts';
import { describeNode } from './describe-node.ts';
import { noteUnreported } from './note-unreported.ts';
import { createStageOrders, type StageForOrder } from './stage-orders.ts';

/** Carries out an order and reports the result to the store. */
export async function executeOrder(deps: Deps, fleet: Fleet, nodeId: NodeId, order: Order): Promise<OrderOutcome> {
  const outcome = await carryOutOrder(deps, order);
  try {
    await fleet.acknowledge(nodeId, order.order_id, outcome);
    if (outcome.status === 'done') await settleOutcome(deps, order);
  } catch (error) {
    noteUnsent(deps, error);
  }
  return outcome;
}

/** Carries out an order to stage, and reports progress and result to the store. @throws the signal's reason */
export async function executeStage(
  deps: Deps,
  { fleet, nodeId, order, stage }: { readonly fleet: Fleet; readonly nodeId: NodeId; readonly order: Order; readonly stage: StageForOrder },
): Promise<OrderOutcome | undefined> {
  const { signal } = deps.world;
  let outcome: OrderOutcome | undefined;
  const stages = createStageOrders({
    fleet,
    nodeId,
    signal,
    onUnsent: (error) => noteUnsent(deps, error),
    stage: async (one, how) => {
      outcome = await stage(one, how);
      return outcome;
    },
  });
  stages.start(order);
  await stages.ended();
  signal.throwIfAborted();
  return outcome;
}

function noteUnsent({ world }: Deps, error: unknown): void {
  if (!(error instanceof SkulkError) || world.signal.aborted) throw error;
  world.emit({ type: 'note', message: `cannot report the result of an order to the store yet: ${error.message}` });
}

/**
 * Reports the current copies to the store. A failure is only noted; a refusal is a warning.
 * @param isEnding whether this process is about to release its leases
 */
export async function reportCopies(
  deps: Deps,
  fleet: Fleet,
  nodeId: NodeId,
  { isEnding = true }: { readonly isEnding?: boolean } = {},
): Promise<void> {
  const { signal } = deps.world;
  let hasCopies = false;
  try {
    const report = await describeNode(deps, nodeId, { agent: false, full: true, isEnding });
    hasCopies = report.staged_models !== 0;
    await fleet.report(report, { signal });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    await noteUnreported(deps, error, { hasCopies });
  }
}
