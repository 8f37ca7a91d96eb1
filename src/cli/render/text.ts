import { formatAge } from '../../core/kernel/units.ts';
import type { LineOfParts, Table, TableCell, TextBlock } from '../definition.ts';
import { safeText } from '../safe-text.ts';
import { type Color, type Paint, withoutColor } from './paint.ts';

/** The terminal for a text. */
export interface TerminalView {
  /** Its width; undefined if it does not report it. */
  readonly columns: number | undefined;
  readonly now: Date;
  /** Gets the header of each column that was dropped although it has texts. */
  readonly onDropped?: (header: string) => void;
}

/**
 * See `renderTable` in table.ts. It is a parameter, because only few commands print a table, and it loads the code that measures
 * characters.
 */
export type RenderTable = (table: Table, view: TerminalView | undefined, paint: Paint) => readonly string[];

/**
 * Lines and tables as one text. Cells are always escaped; lines only for a terminal, because a script needs a path unchanged.
 * @param view undefined if the text does not go to a terminal
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
      if (typeof block === 'string') return [paintPart(block, view, paint)];
      return renderLine(block, view, paint);
    })
    .join('\n');
}

function renderLine({ line, indent }: LineOfParts, view: TerminalView | undefined, paint: Paint): readonly string[] {
  const [last = '', ...others] = line.toReversed();
  const start = others.toReversed();
  const used = start.reduce((sum, part) => sum + textOf(part, view).length, 0);
  const columns = view?.columns;
  const text = safeText(textOf(last, view));
  const painted = start.map((part) => paintPart(part, view, paint)).join('');
  if (indent === undefined || columns === undefined || colorOf(last) !== undefined || used + text.length <= columns)
    return [painted + paintPart(last, view, paint)];
  const [first, ...more] = wrapWords(text, { first: columns - used, others: columns - indent });
  return [`${painted}${first}`, ...more.map((one) => `${' '.repeat(indent)}${one}`)];
}

/** Words on lines of these lengths. A longer word, such as a path, stays whole. */
function wrapWords(text: string, room: { readonly first: number; readonly others: number }): readonly string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(' ')) {
    const max = lines.length === 0 ? room.first : room.others;
    if (line !== undefined && line.length + 1 + word.length > max) {
      lines.push(line);
      line = word;
    } else line = line === undefined ? word : `${line} ${word}`;
  }
  return [...lines, line ?? ''];
}

/** Whether one of the blocks is a table. */
export const hasTable = (blocks: readonly TextBlock[]): boolean => blocks.some(isTable);

const isTable = (block: TextBlock): block is Table => typeof block !== 'string' && !isLine(block);
const isLine = (block: Table | LineOfParts): block is LineOfParts => 'line' in block;

/** The shown text of a cell: a time is an age on a terminal, and unchanged elsewhere. */
export function textOf(cell: TableCell, view: TerminalView | undefined): string {
  if (typeof cell === 'string') return cell;
  if ('text' in cell) return cell.text;
  const age = view === undefined ? '' : (cell.age ?? formatAge(cell.time, view.now));
  return age === '' ? cell.time : age;
}

/** The colour of a cell. */
export const colorOf = (cell: TableCell | undefined): Color | undefined =>
  typeof cell === 'object' && 'color' in cell ? cell.color : undefined;

function paintPart(part: TableCell, view: TerminalView | undefined, paint: Paint): string {
  const text = view === undefined ? textOf(part, view) : safeText(textOf(part, view));
  const color = colorOf(part);
  return color === undefined ? text : paint(text, color);
}

/** The line about columns for which a terminal is too narrow. */
export const notShown = (headers: readonly string[]): string => `not shown on a narrow terminal: ${headers.join(', ')} (--json shows all)`;
