import { widthOf } from './text-width.ts';
import type { Part, Tone } from './words.tsx';

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row, width: number) => Cell;
  readonly align?: 'left' | 'right';
  /** Where a text is cut that is too long. */
  readonly cut?: 'end' | 'middle';
  /** It gives way first, but keeps so many columns, and takes some of the room that is left over. One of a table. */
  readonly flexMinWidth?: number;
  /** It takes up to so many columns when there is room for them. */
  readonly preferredWidth?: number;
  /** It takes so many columns, whatever is in it. */
  readonly width?: number;
  /** It takes so many columns at most. */
  readonly maxWidth?: number;
  /** When there is no room for all, columns go, the highest number first; those without one stay. */
  readonly dropOrder?: number;
}

/** What stands in a cell. */
export type Cell = string | { readonly text: string; readonly tone: Tone } | { readonly parts: readonly Part[] };

/** A column and how wide it is. */
export interface LaidOut<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** Between two columns. */
export const gap = 2;
/** More than that beside its texts is too far for the eye to go on to the next column. */
const maxSpare = 12;

/** Gives columns their widths, and leaves out what there is no room for. Pure. */
export function layOut<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): readonly LaidOut<Row>[] {
  const natural = new Map(columns.map((column) => [column, naturalWidth(column, rows)]));
  // What says nothing of any row is not missed.
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
