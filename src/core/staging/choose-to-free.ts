/** A copy whose removal frees space. */
interface Freeable {
  readonly sizeBytes: number;
}

/**
 * Chooses few copies whose removal frees enough: the smallest one that is enough by itself, else the largest one and those beside it.
 * Pure.
 * @param missing undefined if it is not known; then the largest one is chosen
 * @returns as many as there are if they are not enough
 */
export function chooseToFree<Copy extends Freeable>(copies: readonly Copy[], missing: number | undefined): readonly Copy[] {
  const left = copies.filter(({ sizeBytes }) => sizeBytes > 0).toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  if (missing === undefined) return left.slice(0, 1);
  const chosen: Copy[] = [];
  for (let still = missing; still > 0 && left.length > 0; ) {
    const enough = left.findLastIndex(({ sizeBytes }) => sizeBytes >= still);
    const [copy] = left.splice(Math.max(0, enough), 1);
    if (copy === undefined) break;
    chosen.push(copy);
    still -= copy.sizeBytes;
  }
  return chosen;
}
