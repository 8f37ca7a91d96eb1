import { quantizationOrders } from '../protocol/fleet.ts';

/** The capabilities of this node beyond orders for whole models, for its report: `quantizationOrders`. */
export const knownOrders: readonly string[] = [quantizationOrders];
