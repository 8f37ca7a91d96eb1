import { Box } from 'ink';
import type { ReactElement } from 'react';
import type { Column } from './lay-out.ts';
import { fillParts } from './spread.ts';
import { tableLines } from './table-lines.ts';
import { Line } from './words.tsx';

/** A table and how much of it is seen. */
export interface TableProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly width: number;
  /** How many rows are shown, and from which on; all of them when absent. */
  readonly window?: { readonly top: number; readonly height: number };
  /** The row of the cursor. */
  readonly chosen?: number | undefined;
}

/** A table with a head. The row of the cursor has a mark, not a colour alone. */
export function Table<Row>({ columns, rows, keyOf, width, window, chosen }: TableProps<Row>): ReactElement {
  const top = window?.top ?? 0;
  const [head = [], ...lines] = tableLines(columns, rows, width, window);
  return (
    <Box flexDirection="column">
      <Line parts={['  ', ...head]} />
      {lines.map((line, index) => {
        const row = rows[top + index];
        const isChosen = top + index === chosen;
        const parts = fillParts([isChosen ? '› ' : '  ', ...line], width);
        return <Line key={row === undefined ? index : keyOf(row)} isChosen={isChosen} parts={parts} />;
      })}
    </Box>
  );
}
