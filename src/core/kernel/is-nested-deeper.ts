/**
 * Whether objects and lists are within each other in more than a number of levels. JSON.parse accepts any depth, but JSON.stringify and other
 * functions that call themselves for each level fail at a large one.
 * @param value from JSON.parse
 */
export function isNestedDeeper(value: unknown, deepest: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}
