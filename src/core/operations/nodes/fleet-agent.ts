import type { Policy } from '../../config/policy.ts';
import type { Deps } from '../../connect/deps.ts';
import type { Fleet } from '../../fleet/contract.ts';
import { type HostFleet, openFleet } from '../../fleet/fleet.ts';
import type { Retention } from '../../fleet/retire-nodes.ts';
import type { NodeId } from '../../kernel/machine/node-id.ts';
import type { HeldLock } from '../../kernel/process/lock.ts';
import { runAgent } from '../../node/agent.ts';
import { carryOutOrder, settleOutcome } from '../../node/carry-out-order.ts';
import { describeNode } from '../../node/describe-node.ts';
import { watchCopies } from '../../node/watch-copies.ts';
import { storeLayout } from '../../store/layout.ts';
import type { LocalStore } from '../../store/local-store.ts';
import { withBudgetNow } from '../settings/saved-config.ts';
import type { StagingJobs } from '../stage/staging-jobs.ts';
import { stageByJobs } from './carry-out-stage.ts';

/** The fleet of the store that this process serves. It is the only writer while it holds the store's lock. */
export function openHostFleet(
  { world }: Deps,
  store: LocalStore,
  { assertHeld, policy }: Pick<HeldLock, 'assertHeld'> & { readonly policy: () => Promise<Policy> },
): HostFleet {
  const retention = async (): Promise<Retention> => {
    const { limits } = await policy();
    return { emptyForMs: limits.forgetNodesAfterDays * dayMs, silentForMs: limits.forgetNodesWithCopiesAfterDays * dayMs };
  };
  return openFleet({ directory: storeLayout(store.root).fleet, store, now: world.now, emit: world.emit, assertHeld, retention });
}

const dayMs = 24 * 3600_000;

/** Carries out the store's orders on this machine until `signal` aborts. */
export function startAgent(
  deps: Deps,
  { fleet, nodeId, jobs, signal }: { fleet: Fleet; nodeId: NodeId; jobs: Pick<StagingJobs, 'run'>; signal: AbortSignal },
): Promise<void> {
  return runAgent({
    fleet,
    nodeId,
    signal,
    emit: deps.world.emit,
    report: async () => describeNode(await withBudgetNow(deps), nodeId, { agent: true, full: true }),
    carryOut: (order) => carryOutOrder(deps, order),
    stage: stageByJobs(jobs),
    settled: (order) => settleOutcome(deps, order),
    onChange: (listener) => watchCopies(deps, listener),
  });
}
