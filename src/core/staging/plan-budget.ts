/** A quantization of a staged copy, or a copy of a model without any, as input of the budget. */
export interface BudgetCopy {
  /** `org/name` or `org/name:SELECTOR`. */
  readonly reference: string;
  readonly sizeBytes: number;
  readonly lastUsed: Date;
}

/** The copies to keep and to evict. */
export interface BudgetPlan<Copy extends BudgetCopy> {
  /** Idle copies that fit into the budget, most recently used first. */
  readonly keep: readonly Copy[];
  /** Idle copies that do not fit, most recently used first. */
  readonly evict: readonly Copy[];
  readonly inUse: readonly Copy[];
}

/**
 * Plans by recency: idle copies are kept, most recently used first, while they fit. A copy that does not fit into the rest is evicted;
 * smaller and older ones that fit stay. Copies in use do not count.
 * @param budgetBytes 0 keeps only copies in use, and copies without a byte
 */
export function planBudget<Copy extends BudgetCopy>(
  copies: readonly Copy[],
  { inUse, budgetBytes }: { readonly inUse: ReadonlySet<string>; readonly budgetBytes: number },
): BudgetPlan<Copy> {
  const keep: Copy[] = [];
  const evict: Copy[] = [];
  let left = budgetBytes;
  for (const copy of copies.filter(({ reference }) => !inUse.has(reference)).toSorted(newestFirst)) {
    if (copy.sizeBytes <= left) {
      left -= copy.sizeBytes;
      keep.push(copy);
    } else {
      evict.push(copy);
    }
  }
  return { keep, evict, inUse: copies.filter(({ reference }) => inUse.has(reference)).toSorted(newestFirst) };
}

/** Names decide between equal dates, so that the order of the disk's listing does not matter. */
function newestFirst(a: BudgetCopy, b: BudgetCopy): number {
  return b.lastUsed.getTime() - a.lastUsed.getTime() || (a.reference < b.reference ? -1 : a.reference > b.reference ? 1 : 0);
}
