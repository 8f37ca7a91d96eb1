/** The table row that has the focus. */
export const rowWithFocus = (): HTMLElement | undefined => document.activeElement?.closest<HTMLElement>('main tbody tr') ?? undefined;

/** Moves the focus to the next or previous row that can be opened; to the first one from outside of the rows. Returns whether there is one. */
export function moveInRows(step: number): boolean {
  const links = [...document.querySelectorAll<HTMLElement>('main .row-link')];
  const row = rowWithFocus();
  const at = links.findIndex((link) => row?.contains(link));
  const next = at === -1 ? links[0] : links[Math.max(0, Math.min(at + step, links.length - 1))];
  next?.focus();
  return next !== undefined;
}
