import type { Table } from '../definition.ts';
import { safeCell } from '../safe-text.ts';
import { columnsOf, fitTexts, gap, layOutTable } from './lay-out-table.ts';
import { type Paint, withoutColor } from './paint.ts';
import { cut, fill } from './parts/text-width.ts';
import { colorOf, type TerminalView } from './text.ts';
import { wrapLines, wrapWords } from './wrap-words.ts';

/**
 * A table as lines, with each column as wide as its widest cell. On a terminal it fits the width, and times are ages. If it is too wide,
 * columns get their short texts, and empty columns are dropped. Then the texts of `apart` move below the table, those of `under` below
 * their rows, and `optional` columns are dropped. Then the widest are cut, with `…`, except numbers and times. Elsewhere nothing is
 * dropped or cut, and times are unchanged.
 * @param view undefined if the table does not go to a terminal
 */
export function renderTable(table: Table, view: TerminalView | undefined, paint: Paint = withoutColor): readonly string[] {
  const { alignRight = [], cutMiddle = [], legend = {} } = table;
  const columns = columnsOf(view);
  const { texts, shortened } = fitTexts(table, view);
  const { shown, widths, apart, under, dropped } = layOutTable(table, { texts, shortened }, columns);
  for (const column of dropped) view?.onDropped?.(table.header[column] ?? '');
  const lines = texts.flatMap((row, index) => {
    const paintCell = (cell: string, column: number): string =>
      paintText(cell, index === 0 ? 'strong' : colorOf(table.rows[index - 1]?.[column]), paint);
    const cells = shown.map((column, at) => {
      // The first column names the row's subject; the end of a name is as important as its beginning.
      const where = at === 0 || cutMiddle.includes(column) ? 'middle' : 'end';
      const filled = fill(row[column] ?? '', widths[at] ?? 0, alignRight.includes(column) ? 'right' : 'left', where);
      return paintCell(at === shown.length - 1 ? filled.trimEnd() : filled, column);
    });
    const line = cells.join(' '.repeat(gap)).trimEnd();
    return [line, ...linesUnder(row, { under, first: shown[0], columns }).map((text) => paintCell(text, under ?? 0))];
  });
  const apartLines = texts.slice(1).flatMap((row) => (apart === undefined || row[apart] === '' ? [] : [`${row[0]}: ${row[apart]}`]));
  const legends = shortened.flatMap((column) => legend[column] ?? []);
  return [...lines, ...[...apartLines, ...legends].flatMap((line) => wrapLines(safeCell(line), view?.columns).split('\n'))];
}

/** The text of a column that is under its row, further to the right than the row. A word that is too long is cut. */
function linesUnder(
  row: readonly string[],
  { under, first = 0, columns }: { readonly under: number | undefined; readonly first: number | undefined; readonly columns: number },
): readonly string[] {
  const text = under === undefined ? '' : safeCell(row[under] ?? '');
  if (text === '') return [];
  const indent = /^ */.exec(row[first] ?? '')?.[0].length ?? 0;
  const room = columns - indent - gap;
  return wrapWords(text, { first: room, others: room }).map((line) => `${' '.repeat(indent + gap)}${cut(line, room, 'middle')}`);
}

/** Spaces beside a text are not coloured, so that trailing spaces can be removed. */
function paintText(cell: string, color: ReturnType<typeof colorOf>, paint: Paint): string {
  const text = cell.trim();
  if (color === undefined || text === '') return cell;
  const before = cell.indexOf(text);
  return `${cell.slice(0, before)}${paint(text, color)}${cell.slice(before + text.length)}`;
}
