import { widthOf } from './text-width.ts';
import type { Part, Tone } from './words.tsx';

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row, width: number) => Cell;
  readonly align?: 'left' | 'right';
  /** Where a too long text is cut. */
  readonly cut?: 'end' | 'middle';
  /** It shrinks first, but not below this width, and gets some of the free space. At most one column of a table has it. */
  readonly flexMinWidth?: number;
  /** It gets up to this width if there is space. */
  readonly preferredWidth?: number;
  /** It has this width, whatever its content is. */
  readonly width?: number;
  /** It has at most this width. */
  readonly maxWidth?: number;
  /** If there is not enough space, columns are dropped, the highest number first; columns without a number stay. */
  readonly dropOrder?: number;
}

/** The content of a cell. */
export type Cell = string | { readonly text: string; readonly tone: Tone } | { readonly parts: readonly Part[] };

/** A column and its width. */
export interface LaidOut<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** Between two columns. */
export const gap = 2;
/** With more space beside the texts, the eye loses the line. */
const maxSpare = 12;

/** The titles of the columns that have texts but no space. Pure. */
export function droppedTitles<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): readonly string[] {
  const titles = (space: number): readonly string[] => layOut(columns, rows, space).map(({ column }) => column.title);
  const shown = titles(width);
  return titles(Number.MAX_SAFE_INTEGER).filter((title) => !shown.includes(title));
}

/** Sets the widths of columns, and drops those without space. Pure. */
export function layOut<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): readonly LaidOut<Row>[] {
  const natural = new Map(columns.map((column) => [column, naturalWidth(column, rows)]));
  // A column that is empty in every row is not needed.
  const isEmpty = ({ cell }: Column<Row>): boolean => rows.every((row) => textOf(cell(row, 0)) === '');
  let kept = columns.filter((column) => column.dropOrder === undefined || !isEmpty(column));
  const needed = (): number =>
    kept.reduce((sum, column) => sum + (column.flexMinWidth ?? natural.get(column) ?? 0), (kept.length - 1) * gap);
  while (needed() > width) {
    const last = kept.filter(({ dropOrder }) => dropOrder !== undefined).toSorted((a, b) => (b.dropOrder ?? 0) - (a.dropOrder ?? 0))[0];
    if (last === undefined) break;
    kept = kept.filter((column) => column !== last);
  }
  const spare = width - needed();
  let left = Math.max(0, spare);
  const take = (wanted: number): number => {
    const taken = Math.min(left, Math.max(0, wanted));
    left -= taken;
    return taken;
  };
  const widths = new Map(
    kept.map((column) => [
      column,
      column.flexMinWidth === undefined ? (natural.get(column) ?? 0) : Math.max(4, column.flexMinWidth + Math.min(0, spare)),
    ]),
  );
  const widen = (column: Column<Row>, to: number): void => {
    const now = widths.get(column) ?? 0;
    widths.set(column, now + take(to - now));
  };
  const growing = kept.filter(({ flexMinWidth }) => flexMinWidth !== undefined);
  for (const column of growing) widen(column, natural.get(column) ?? 0);
  for (const column of kept) widen(column, column.preferredWidth ?? 0);
  for (const column of growing) widen(column, (natural.get(column) ?? 0) + maxSpare);
  return kept.map((column) => ({ column, width: widths.get(column) ?? 0 }));
}

function naturalWidth<Row>({ title, cell, width, maxWidth = Number.POSITIVE_INFINITY }: Column<Row>, rows: readonly Row[]): number {
  if (width !== undefined) return width;
  return Math.min(maxWidth, Math.max(widthOf(title), ...rows.map((row) => widthOf(textOf(cell(row, maxWidth))))));
}

const textOf = (cell: Cell): string =>
  typeof cell === 'string'
    ? cell
    : 'text' in cell
      ? cell.text
      : cell.parts.map((part) => (typeof part === 'string' ? part : part.text)).join('');
