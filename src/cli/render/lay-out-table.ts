import type { Table, TableCell } from '../definition.ts';
import { widthOf } from './parts/text-width.ts';
import { type TerminalView, textOf } from './text.ts';

/** Between two columns. */
export const gap = 2;
/** The minimum width of a cut column; a narrower terminal wraps the lines. */
const minWidth = 6;
/** Optional columns are dropped before a name or a text is cut to less than this. */
const readable = { name: 24, other: 12 } as const;
/** The name of the row's subject also has this part of the line first. */
const partOfName = 0.55;

/** The texts of a table's header and rows, and the columns whose texts are the short ones. */
export interface FittedTexts {
  readonly texts: readonly (readonly string[])[];
  readonly shortened: readonly number[];
}

/** How a table is shown. */
export interface TableLayout {
  /** The columns beside each other, and their widths. */
  readonly shown: readonly number[];
  readonly widths: readonly number[];
  /** See `Table`; undefined if the column is beside the others. */
  readonly apart: number | undefined;
  readonly under: number | undefined;
  /** Columns that have texts and are not shown. */
  readonly dropped: readonly number[];
}

/** The texts of the cells. If those that must be beside each other are too wide, the last columns with short texts have these. Pure. */
export function fitTexts({ header, rows, optional = [], apart, under }: Table, view: TerminalView | undefined): FittedTexts {
  const needed = [...header.keys()].filter((column) => column !== apart && column !== under && !optional.includes(column));
  let texts = [header, ...rows].map((row) => row.map((cell) => textOf(cell, view)));
  const shortened: number[] = [];
  for (const column of [...header.keys()].toReversed()) {
    if (widthOfAll(pick(measure(header, texts), needed)) <= columnsOf(view)) break;
    if (!rows.some((row) => shortOf(row[column]) !== undefined)) continue;
    texts = texts.map((row, index) => row.map((text, at) => (at === column ? (shortOf(rows[index - 1]?.[column]) ?? text) : text)));
    shortened.push(column);
  }
  return { texts, shortened };
}

const shortOf = (cell: TableCell | undefined): string | undefined => (typeof cell === 'object' && 'short' in cell ? cell.short : undefined);

/** Infinite if the width is unknown, or if it is not a terminal. */
export const columnsOf = (view: TerminalView | undefined): number => view?.columns || Number.POSITIVE_INFINITY;

const measure = (header: readonly string[], texts: FittedTexts['texts']): readonly number[] =>
  header.map((_, column) => Math.max(...texts.map((row) => widthOf(row[column] ?? ''))));

const widthOfAll = (widths: readonly number[]): number => widths.reduce((all, width) => all + width + gap, -gap);

/** Chooses the columns that fit into a width, and their widths. Pure. */
export function layOutTable(table: Table, { texts }: FittedTexts, columns: number): TableLayout {
  const { header, rows, alignRight = [], isWhole = [], cutFirst = [] } = table;
  const natural = measure(header, texts);
  const isTime = (column: number): boolean => rows.some((row) => typeof row[column] === 'object' && 'time' in row[column]);
  const canShrink = header.map((_, column) => !alignRight.includes(column) && !isWhole.includes(column) && !isTime(column));
  const { shown, ...others } = chooseColumns(table, { natural, canShrink, columns, texts });
  const excess = widthOfAll(pick(natural, shown)) - columns;
  const wanted = natural.map((width, column) =>
    excess > 0 && cutFirst.includes(column) ? Math.max(width - excess, Math.min(width, readable.other)) : width,
  );
  const widths = fitWidths(pick(wanted, shown), pick(canShrink, shown), columns - gap * (shown.length - 1));
  return { shown, widths, ...others };
}

interface Measured {
  readonly natural: readonly number[];
  readonly canShrink: readonly boolean[];
  readonly columns: number;
  readonly texts: readonly (readonly string[])[];
}

function chooseColumns(
  { header, rows, optional = [], apart, under }: Table,
  { natural, canShrink, columns, texts }: Measured,
): Omit<TableLayout, 'widths'> {
  const all = [...header.keys()];
  const width = (some: readonly number[]): number => widthOfAll(pick(natural, some));
  if (width(all) <= columns || rows.length === 0) return { shown: all, apart: undefined, under: undefined, dropped: [] };
  const withTexts = all.filter((column) => column === 0 || texts.slice(1).some((row) => row[column] !== ''));
  const moves = (column: number | undefined, beside: readonly number[]): column is number =>
    column !== undefined && withTexts.includes(column) && width(beside) > columns;
  const goesApart = moves(apart, withTexts);
  const beside = withTexts.filter((column) => !goesApart || column !== apart);
  const goesUnder = moves(
    under,
    beside.filter((column) => !optional.includes(column)),
  );
  let shown = beside.filter((column) => !goesUnder || column !== under);
  // The name of the row's subject.
  const name = shown.find((column) => !optional.includes(column));
  const least = (column: number): number => {
    const wanted = natural[column] ?? 0;
    // A table that can move its longest column needs to cut no other one.
    if (canShrink[column] !== true || under !== undefined) return wanted;
    return Math.min(wanted, column === name ? Math.max(readable.name, Math.floor(columns * partOfName)) : readable.other);
  };
  for (const column of optional) {
    if (widthOfAll(shown.map(least)) <= columns) break;
    shown = shown.filter((one) => one !== column);
  }
  const moved = [...(goesApart ? [apart] : []), ...(goesUnder ? [under] : [])];
  return {
    shown,
    apart: goesApart ? apart : undefined,
    under: goesUnder ? under : undefined,
    dropped: withTexts.filter((column) => !shown.includes(column) && !moved.includes(column)),
  };
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
