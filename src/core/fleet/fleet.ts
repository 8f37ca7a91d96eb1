import type { Fleet } from './contract.ts';
import { type FleetOptions, openFleetState } from './fleet-state.ts';
import { createOrderGiver } from './give-orders.ts';
import { createOrderReports } from './given-orders.ts';
import { createKnownNodes } from './known-nodes.ts';
import { streamOrders } from './order-stream.ts';

/** The fleet of the process that serves a store. */
export interface HostFleet extends Fleet {
  /** Calls the listener without delay, and often, when nodes or orders changed. The returned function removes the listener. */
  onChange(listener: () => void): () => void;
}

/** The nodes and orders of the store on this machine's disk. */
export function openFleet(options: FleetOptions): HostFleet {
  const state = openFleetState(options);
  return {
    ...createKnownNodes(state),
    ...createOrderGiver(state),
    ...createOrderReports(state),
    orders: (nodeId, signal, knows) => streamOrders(state, nodeId, signal, knows),
    onChange: state.onChange,
  };
}
