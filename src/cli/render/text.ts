import type { Table, TextBlock } from '../definition.ts';
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
      if (typeof block !== 'string') return renderTable(block, view);
      return [view === undefined ? block : safeText(block)];
    })
    .join('\n');
}

/** Whether there is a table among them. */
export const hasTable = (blocks: readonly TextBlock[]): boolean => blocks.some((block) => typeof block !== 'string');
