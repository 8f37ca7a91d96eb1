import { formatBytes } from '../core/kernel/units.ts';

/** Describes what the recency budget did. */
export function budgetLines({
  skipped,
  evicted,
  evicted_bytes,
  dry_run,
}: {
  readonly skipped: string | null;
  readonly evicted: readonly { readonly reference: string; readonly size_bytes: number }[];
  readonly evicted_bytes: number;
  readonly dry_run: boolean;
}): readonly string[] {
  if (skipped !== null) return [`nothing is evicted: ${skipped}`];
  const lines = evicted.map(
    ({ reference, size_bytes }) => `${dry_run ? 'would evict' : 'evicted'} ${reference} (${formatBytes(size_bytes)})`,
  );
  return evicted.length === 0 ? lines : [...lines, `${dry_run ? 'would free' : 'freed'} ${formatBytes(evicted_bytes)}`];
}
