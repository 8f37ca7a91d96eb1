import { Box } from 'ink';
import type { ReactElement } from 'react';
import type { Column } from './lay-out.ts';
import { fillParts } from './spread.ts';
import { tableLines } from './table-lines.ts';
import { Line } from './words.tsx';

/** A table and its visible part. */
export interface TableProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly width: number;
  /** The first visible row, and their number; by default all. */
  readonly window?: { readonly top: number; readonly height: number };
  /** The row of the cursor. */
  readonly chosen?: number | undefined;
}

/** A table with a header. The cursor's row has a mark, and not only a colour. */
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
