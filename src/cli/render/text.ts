import type { Table, TextBlock } from '../definition.ts';
import { safeCell, safeText } from '../safe-text.ts';

/**
 * Lines and tables as one text. Cells are always escaped; lines only for a terminal, as a script wants a path as it is.
 */
export function renderText(blocks: readonly TextBlock[], { forTerminal }: { forTerminal: boolean }): string {
  return blocks.flatMap((block) => (typeof block === 'string' ? [forTerminal ? safeText(block) : block] : renderTable(block))).join('\n');
}

function renderTable({ header, rows, alignRight = [] }: Table): readonly string[] {
  const cells = [header, ...rows].map((row) => row.map(safeCell));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, alignRight.includes(column)))
      .join('  ')
      .trimEnd(),
  );
}

const pad = (cell: string, width: number, toTheRight: boolean): string => (toTheRight ? cell.padStart(width) : cell.padEnd(width));
