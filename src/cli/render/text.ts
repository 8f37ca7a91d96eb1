import { formatAge } from '../../core/kernel/units.ts';
import type { LineOfParts, Table, TableCell, TextBlock } from '../definition.ts';
import { safeText } from '../safe-text.ts';
import { type Color, type Paint, withoutColor } from './paint.ts';
import { wrapWords } from './wrap-words.ts';

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
  const columns = view?.columns;
  const whole = line.map((part) => paintPart(part, view, paint)).join('');
  const texts = line.map((part) => safeText(textOf(part, view)));
  if (indent === undefined || columns === undefined || texts.join('').length <= columns) return [whole];
  // A coloured word at the start is never wrapped, so that its colour stays on one line.
  const begin = line.findLastIndex((part) => colorOf(part) !== undefined) + 1;
  if (begin === line.length) return [whole];
  const used = texts.slice(0, begin).join('').length;
  const painted = line.slice(0, begin).map((part) => paintPart(part, view, paint));
  const [first = '', ...more] = wrapWords(texts.slice(begin).join(''), { first: columns - used, others: columns - indent });
  return [`${painted.join('')}${first}`, ...more.map((one) => `${' '.repeat(indent)}${one}`)];
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
