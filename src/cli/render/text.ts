import { formatAge } from '../../core/kernel/units.ts';
import type { LineOfParts, Table, TableCell, TextBlock } from '../definition.ts';
import { safeText } from '../safe-text.ts';

/** A terminal that a text is for. */
export interface TerminalView {
  /** Its width; undefined when it does not say. */
  readonly columns: number | undefined;
  readonly now: Date;
}

/** See `renderTable` of table.ts. It is handed in, as only few commands print a table, and it loads what measures characters. */
export type RenderTable = (table: Table, view: TerminalView | undefined) => readonly string[];

/**
 * Lines and tables as one text. Cells are always escaped; lines only for a terminal, as a script wants a path as it is.
 * @param view undefined when the text does not go to a terminal
 */
export function renderText(blocks: readonly TextBlock[], view: TerminalView | undefined, renderTable: RenderTable): string {
  return blocks
    .flatMap((block) => {
      if (isTable(block)) return renderTable(block, view);
      const line = typeof block === 'string' ? block : block.line.map((part) => textOf(part, view)).join('');
      return [view === undefined ? line : safeText(line)];
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
  const age = view === undefined ? '' : (cell.age ?? formatAge(cell.time, view.now));
  return age === '' ? cell.time : age;
}
