/** The row that follows one that has gone; the one before it if it was the last. Pure. */
export function neighbourOf<Row>(before: readonly Row[], gone: Row, isThere: (row: Row) => boolean): Row | undefined {
  const at = before.indexOf(gone);
  return before.slice(at + 1).find(isThere) ?? before.slice(0, Math.max(0, at)).findLast(isThere);
}
