import { formatAge } from '../../core/kernel/units.ts';
import type { LineOfParts, Table, TableCell, TextBlock } from '../definition.ts';
import { safeText } from '../safe-text.ts';
import { type Color, type Paint, withoutColor } from './paint.ts';

/** A terminal that a text is for. */
export interface TerminalView {
  /** Its width; undefined when it does not say. */
  readonly columns: number | undefined;
  readonly now: Date;
}

/** See `renderTable` of table.ts. It is handed in, as only few commands print a table, and it loads what measures characters. */
export type RenderTable = (table: Table, view: TerminalView | undefined, paint: Paint) => readonly string[];

/**
 * Lines and tables as one text. Cells are always escaped; lines only for a terminal, as a script wants a path as it is.
 * @param view undefined when the text does not go to a terminal
 */
export function renderText(
  blocks: readonly TextBlock[],
  view: TerminalView | undefined,
  renderTable: RenderTable,
  paint: Paint = withoutColor,
): string {
  return blocks
    .flatMap((block) => {
      if (isTable(block)) return renderTable(block, view, paint);
      const parts = typeof block === 'string' ? [block] : block.line;
      return [parts.map((part) => paintPart(part, view, paint)).join('')];
    })
    .join('\n');
}

/** Whether there is a table among them. */
export const hasTable = (blocks: readonly TextBlock[]): boolean => blocks.some(isTable);

const isTable = (block: TextBlock): block is Table => typeof block !== 'string' && !isLine(block);
const isLine = (block: Table | LineOfParts): block is LineOfParts => 'line' in block;

/** A cell as it is shown: on a terminal a time is an age, elsewhere it is as it came. */
export function textOf(cell: TableCell, view: TerminalView | undefined): string {
  if (typeof cell === 'string') return cell;
  if ('text' in cell) return cell.text;
  const age = view === undefined ? '' : (cell.age ?? formatAge(cell.time, view.now));
  return age === '' ? cell.time : age;
}

/** The colour that a cell asks for. */
export const colorOf = (cell: TableCell | undefined): Color | undefined =>
  typeof cell === 'object' && 'color' in cell ? cell.color : undefined;

function paintPart(part: TableCell, view: TerminalView | undefined, paint: Paint): string {
  const text = view === undefined ? textOf(part, view) : safeText(textOf(part, view));
  const color = colorOf(part);
  return color === undefined ? text : paint(text, color);
}
