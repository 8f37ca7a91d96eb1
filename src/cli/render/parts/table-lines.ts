import { type Cell, type Column, droppedTitles, gap, type LaidOut, layOut } from './lay-out.ts';
import { fillParts } from './spread.ts';
import { fill } from './text-width.ts';
import type { Part } from './words.tsx';

/** Two columns on the left for the cursor's mark, and one on the right. */
export const margin = 3;

/** Columns fit all rows, so that they do not change when the list scrolls; in a very long list only the visible rows count. */
const maxMeasuredRows = 500;

/** A table in lines: its header, then the visible rows, or all without a window; without margins. Pure. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  { top, height }: { readonly top: number; readonly height: number } = { top: 0, height: rows.length },
): readonly (readonly Part[])[] {
  const seen = rows.slice(top, top + height);
  const laidOut = layOut(columns, measuredRows(rows, seen), width - margin);
  return [headOf(laidOut), ...seen.map((row) => cellsOf(laidOut, row))];
}

/** The titles of the columns for which such a table has no space. Pure. */
export const hiddenTitles = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  height: number,
): readonly string[] => droppedTitles(columns, measuredRows(rows, rows.slice(0, height)), width - margin);

const measuredRows = <Row>(rows: readonly Row[], seen: readonly Row[]): readonly Row[] => (rows.length > maxMeasuredRows ? seen : rows);

const headOf = <Row>(laidOut: readonly LaidOut<Row>[]): readonly Part[] =>
  laidOut.map(({ column: { title, align }, width }, index) => ({
    text: `${index === 0 ? '' : ' '.repeat(gap)}${fill(title, width, align)}`,
    tone: 'quiet',
  }));

const cellsOf = <Row>(laidOut: readonly LaidOut<Row>[], row: Row): readonly Part[] =>
  laidOut.flatMap(({ column, width }, index) => [
    ...(index === 0 ? [] : [' '.repeat(gap)]),
    ...fitCell(column.cell(row, width), width, column),
  ]);

function fitCell<Row>(cell: Cell, width: number, { align, cut }: Column<Row>): readonly Part[] {
  if (typeof cell === 'string') return [fill(cell, width, align, cut)];
  if ('text' in cell) return [{ text: fill(cell.text, width, align, cut), tone: cell.tone }];
  return fillParts(cell.parts, width);
}
