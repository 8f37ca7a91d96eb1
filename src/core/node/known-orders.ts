import { quantizationOrders } from '../protocol/fleet.ts';

/** What this node can do beside orders for whole models, as its report says it: `quantizationOrders`. */
export const knownOrders: readonly string[] = [quantizationOrders];
