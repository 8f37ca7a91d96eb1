import { quantizationOrders, stageOrders } from '../protocol/fleet.ts';

/** The capabilities of this node beyond orders for whole models, for its report. */
export const knownOrders: readonly string[] = [quantizationOrders, stageOrders];
