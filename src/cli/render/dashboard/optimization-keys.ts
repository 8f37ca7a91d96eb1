import type { OptimizationStatus } from '../../../core/protocol/optimizations.ts';
import type { Key } from '../parts/read-keys.ts';
import type { DashboardContext } from './context.ts';

/** Handles the keys for an optimization, in the list and on its page. */
export function actOnOptimization({ acts, run }: DashboardContext, key: Key, optimization: OptimizationStatus): boolean {
  const { targetId } = optimization;
  if (key === 'c') run(() => acts.cancelOptimization(targetId), `stopped the optimization ${targetId}; partial results were removed`);
  else if (key === 'r') run(() => acts.optimizeAgain(optimization), `started the optimization ${targetId}`);
  else return false;
  return true;
}
