import type { Table } from '../definition.ts';
import { fill, widthOf } from './parts/text-width.ts';
import { type TerminalView, textOf } from './text.ts';

/** Between two columns. */
const gap = 2;
/** No column is cut to less; a terminal that is too narrow even then wraps the lines. */
const minWidth = 6;

/**
 * A table as lines, with each column as wide as its widest cell. On a terminal it fits the width: the widest columns are cut first, with
 * `…`, but no numbers and no times; and times are ages. Elsewhere nothing is cut, and times are as they came.
 * @param view undefined when the table does not go to a terminal
 */
export function renderTable({ header, rows, alignRight = [] }: Table, view: TerminalView | undefined): readonly string[] {
  const cells = [header, ...rows].map((row) => row.map((cell) => textOf(cell, view)));
  const natural = header.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column] ?? ''))));
  const isTime = (column: number): boolean => rows.some((row) => typeof row[column] === 'object');
  const canShrink = header.map((_, column) => !alignRight.includes(column) && !isTime(column));
  const room = (view?.columns || Number.POSITIVE_INFINITY) - gap * (header.length - 1);
  const widths = fitWidths(natural, canShrink, room);
  return cells.map((row) =>
    row
      // The first column says what a row is about: a name, whose end tells as much as its beginning.
      .map((cell, column) =>
        fill(cell, widths[column] ?? 0, alignRight.includes(column) ? 'right' : 'left', column === 0 ? 'middle' : 'end'),
      )
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

/** Gives columns a common greatest width, so that together they fit the room; what is narrower stays as it is. Pure. */
export function fitWidths(natural: readonly number[], canShrink: readonly boolean[], room: number): readonly number[] {
  const shrinking = natural.filter((_, column) => canShrink[column] === true).toSorted((a, b) => a - b);
  let left = room - natural.reduce((sum, width, column) => sum + (canShrink[column] === true ? 0 : width), 0);
  let maxWidth = Number.POSITIVE_INFINITY;
  for (const [index, width] of shrinking.entries()) {
    const share = Math.floor(left / (shrinking.length - index));
    if (width > share) {
      maxWidth = Math.max(minWidth, share);
      break;
    }
    left -= width;
  }
  return natural.map((width, column) => (canShrink[column] === true ? Math.min(width, maxWidth) : width));
}
