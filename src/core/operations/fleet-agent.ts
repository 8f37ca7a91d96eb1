import { runAgent } from '../fleet/agent.ts';
import type { Fleet } from '../fleet/contract.ts';
import type { FleetOptions } from '../fleet/fleet.ts';
import { openFleet } from '../fleet/fleet.ts';
import type { NodeId } from '../kernel/node-id.ts';
import type { LocalStore } from '../store/contract.ts';
import { storeLayout } from '../store/layout.ts';
import { carryOutOrder, describeNode, forgetOutcome } from './carry-out-order.ts';
import type { Deps } from './deps.ts';

/** The fleet of the store that this process serves; it is the only writer. */
export function openHostFleet({ world }: Deps, store: LocalStore): Fleet {
  const options: FleetOptions = { directory: storeLayout(store.root).fleet, store, now: world.now, emit: world.emit };
  return openFleet(options);
}

/** Carries out on this machine what the store asks, until `signal` aborts. */
export function startAgent(deps: Deps, { fleet, nodeId, signal }: { fleet: Fleet; nodeId: NodeId; signal: AbortSignal }): Promise<void> {
  return runAgent({
    fleet,
    nodeId,
    signal,
    emit: deps.world.emit,
    report: () => describeNode(deps, nodeId, { agent: true, full: true }),
    carryOut: (order) => carryOutOrder(deps, order),
    settled: (order) => forgetOutcome(deps, order),
  });
}
