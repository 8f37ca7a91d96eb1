import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import type { ReportedCopy } from '../../../src/core/protocol/models/reported-copy.ts';
import { formatBytes } from '../../parts/format.ts';

/** How the copies of a node fill its budget, in bytes. */
export interface BudgetSums {
  readonly used: number;
  /** Idle, and stays. */
  readonly idle: number;
  /** Idle, and removed first. */
  readonly over: number;
  /** Where the budget ends; it does not count copies in use. Undefined without a budget. */
  readonly limit: number | undefined;
  readonly total: number;
  readonly budget: string;
  /** All of it in words. */
  readonly words: string;
}

/** Pure. @returns undefined for a node that does not report its copies */
export function sumBudget({ copies, budget_bytes }: Pick<KnownNode, 'copies' | 'budget_bytes'>): BudgetSums | undefined {
  if (copies === null) return undefined;
  const sum = (some: readonly ReportedCopy[]): number => some.reduce((bytes, { size_bytes }) => bytes + size_bytes, 0);
  const used = sum(copies.filter(({ in_use }) => in_use));
  const over = sum(copies.filter(({ over_budget }) => over_budget));
  const idle = sum(copies) - used - over;
  const limit = budget_bytes === null ? undefined : used + budget_bytes;
  const budget = budget_bytes === null ? 'nothing is removed automatically' : `budget for idle copies ${formatBytes(budget_bytes)}`;
  const words = [`in use ${formatBytes(used)}`, `idle ${formatBytes(idle + over)}`, budget].join(', ');
  return { used, idle, over, limit, total: Math.max(limit ?? 0, used + idle + over), budget, words };
}

/** The budget in few words, for a row. Pure. */
export function describeBudget({ idle, over }: BudgetSums, budgetBytes: number | null): string {
  if (budgetBytes === null) return 'no limit';
  return over > 0 ? `${formatBytes(over)} over budget` : `${formatBytes(idle)} of ${formatBytes(budgetBytes)} idle`;
}
