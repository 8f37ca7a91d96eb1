/**
 * Runs work on many items with limited concurrency. The results are in the order of the items. After the first failure no new item
 * starts, and the call rejects when all running ones have ended.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const queue = items.entries();
  let hasFailed = false;
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (hasFailed) return;
      results[index] = await work(item, index).catch((error: unknown) => {
        hasFailed = true;
        throw error;
      });
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane));
  for (const one of lanes) if (one.status === 'rejected') throw one.reason;
  return results;
}

/** How many small file operations keep a disk busy. */
export const maxOpenFiles = 16;
