import type { Table } from '../definition.ts';
import { safeCell } from '../safe-text.ts';
import { type Paint, withoutColor } from './paint.ts';
import { fill, widthOf } from './parts/text-width.ts';
import { colorOf, type TerminalView, textOf } from './text.ts';

/** Between two columns. */
const gap = 2;
/** The minimum width of a cut column; a narrower terminal wraps the lines. */
const minWidth = 6;
/** Optional columns are dropped before a name or a text is cut to less than this. */
const readable = { first: 24, other: 12 } as const;

/**
 * A table as lines, with each column as wide as its widest cell. On a terminal it fits the width, and times are ages. Empty columns are
 * dropped first, then the texts of `apart` move below the table, then `optional` columns are dropped. Then the widest are cut, with `…`,
 * except numbers and times. Elsewhere nothing is dropped or cut, and times are unchanged.
 * @param view undefined if the table does not go to a terminal
 */
export function renderTable(table: Table, view: TerminalView | undefined, paint: Paint = withoutColor): readonly string[] {
  const { alignRight = [], isWhole = [], cutMiddle = [] } = table;
  const texts = [table.header, ...table.rows].map((row) => row.map((cell) => textOf(cell, view)));
  const natural = table.header.map((_, column) => Math.max(...texts.map((row) => widthOf(row[column] ?? ''))));
  const isTime = (column: number): boolean => table.rows.some((row) => typeof row[column] === 'object' && 'time' in row[column]);
  const canShrink = table.header.map((_, column) => !alignRight.includes(column) && !isWhole.includes(column) && !isTime(column));
  const columns = view?.columns || Number.POSITIVE_INFINITY;
  const { shown, apart, dropped } = chooseColumns(table, { natural, canShrink, columns, texts });
  for (const column of dropped) view?.onDropped?.(table.header[column] ?? '');
  const room = columns - gap * (shown.length - 1);
  const widths = fitWidths(pick(natural, shown), pick(canShrink, shown), room);
  const lines = texts.map((row, index) =>
    shown
      .map((column, at) => {
        const text = row[column] ?? '';
        const width = widths[at] ?? 0;
        // The first column names the row's subject; the end of a name is as important as its beginning.
        const filled = fill(
          text,
          width,
          alignRight.includes(column) ? 'right' : 'left',
          column === 0 || cutMiddle.includes(column) ? 'middle' : 'end',
        );
        const cell = at === shown.length - 1 ? filled.trimEnd() : filled;
        return index === 0 ? paintText(cell, 'strong', paint) : paintText(cell, colorOf(table.rows[index - 1]?.[column]), paint);
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  );
  const below = texts.slice(1).flatMap((row) => (apart === undefined || row[apart] === '' ? [] : [safeCell(`${row[0]}: ${row[apart]}`)]));
  return [...lines, ...below];
}

/** Spaces beside a text are not coloured, so that trailing spaces can be removed. */
function paintText(cell: string, color: ReturnType<typeof colorOf>, paint: Paint): string {
  const text = cell.trim();
  if (color === undefined || text === '') return cell;
  const before = cell.indexOf(text);
  return `${cell.slice(0, before)}${paint(text, color)}${cell.slice(before + text.length)}`;
}

interface Measured {
  readonly natural: readonly number[];
  readonly canShrink: readonly boolean[];
  readonly columns: number;
  readonly texts: readonly (readonly string[])[];
}

/** The columns for a terminal, the one whose texts move below the table, and the dropped ones that have texts. Pure. */
function chooseColumns(
  { header, rows, optional = [], apart }: Table,
  { natural, canShrink, columns, texts }: Measured,
): { readonly shown: readonly number[]; readonly apart: number | undefined; readonly dropped: readonly number[] } {
  const sum = (widths: readonly number[]): number => widths.reduce((all, width) => all + width + gap, -gap);
  const all = header.map((_, column) => column);
  if (sum(natural) <= columns || rows.length === 0) return { shown: all, apart: undefined, dropped: [] };
  let shown = all.filter((column) => column === 0 || texts.slice(1).some((row) => row[column] !== ''));
  const goesApart = apart !== undefined && shown.includes(apart) && sum(pick(natural, shown)) > columns;
  if (goesApart) shown = shown.filter((column) => column !== apart);
  const least = (column: number): number =>
    canShrink[column] === true ? Math.min(natural[column] ?? 0, column === 0 ? readable.first : readable.other) : (natural[column] ?? 0);
  const withTexts = shown;
  for (const column of optional) {
    if (sum(shown.map(least)) <= columns) break;
    shown = shown.filter((one) => one !== column);
  }
  const dropped = withTexts.filter((column) => !shown.includes(column));
  return { shown, apart: goesApart ? apart : undefined, dropped };
}

const pick = <T>(values: readonly T[], columns: readonly number[]): readonly T[] => values.filter((_, column) => columns.includes(column));

/** Sets a common maximum width, so that all columns fit into the space; narrower columns stay. Pure. */
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
