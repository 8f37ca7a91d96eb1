/** A quantization of a staged copy, or a copy of a model without any, as the budget sees it. */
export interface BudgetCopy {
  /** `org/name` or `org/name:SELECTOR`. */
  readonly reference: string;
  readonly sizeBytes: number;
  readonly lastUsed: Date;
}

/** What stays and what goes. */
export interface BudgetPlan<Copy extends BudgetCopy> {
  /** Idle copies that fit into the budget, newest use first. */
  readonly keep: readonly Copy[];
  /** Idle copies that do not, newest use first. */
  readonly evict: readonly Copy[];
  readonly inUse: readonly Copy[];
}

/**
 * The recency budget: idle copies are kept newest use first while they fit. One that does not fit into what is left goes, and
 * smaller, older ones that do fit stay. Copies in use are outside of it.
 * @param budgetBytes 0 keeps only what is in use, and copies without a byte
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

/** Names decide between equal dates, so that the order in which the disk lists them does not. */
function newestFirst(a: BudgetCopy, b: BudgetCopy): number {
  return b.lastUsed.getTime() - a.lastUsed.getTime() || (a.reference < b.reference ? -1 : a.reference > b.reference ? 1 : 0);
}
