import { Box } from 'ink';
import type { ReactElement } from 'react';
import type { Connection } from '../../../core/kernel/flow/follow.ts';
import type { WatchedLists } from '../../../core/operations/live/watch-lists.ts';
import { describeSwarm } from '../../../core/protocol/describe/swarm.ts';
import { keyOfDownload } from '../../../core/protocol/downloads.ts';
import { connectionParts } from '../dashboard/header.tsx';
import { downloadColumns } from '../lists/download-columns.ts';
import { nodeColumns } from '../lists/node-columns.ts';
import { optimizationColumns } from '../lists/optimization-columns.ts';
import { plural } from '../parts/format.ts';
import { hintParts } from '../parts/hints.ts';
import { useKeys } from '../parts/keys.tsx';
import type { Column } from '../parts/lay-out.ts';
import { type Live, useLive } from '../parts/live.ts';
import { spread } from '../parts/spread.ts';
import { Table } from '../parts/table.tsx';
import { hiddenTitles } from '../parts/table-lines.ts';
import { useNow } from '../parts/use-now.ts';
import { useSize } from '../parts/use-size.ts';
import { Line } from '../parts/words.tsx';
import { notShown } from '../text.ts';

/** The watched value, and the action to leave. */
export interface WatchProps<T> {
  readonly live: Live<T | undefined>;
  readonly clock: () => Date;
  readonly onLeave: () => void;
}

/** The store's downloads and their progress. */
export function WatchedDownloads({ live, onLeave }: WatchProps<WatchedLists['downloads']>): ReactElement {
  const known = useLive(live);
  return (
    <Watched
      connection={known?.connection}
      columns={downloadColumns}
      rows={known?.downloads ?? null}
      keyOf={keyOfDownload}
      empty="no downloads; `skulk download MODEL` starts one"
      onLeave={onLeave}
    />
  );
}

/** The variants that the store makes, and their progress. */
export function WatchedOptimizations({ live, onLeave }: WatchProps<WatchedLists['optimizations']>): ReactElement {
  const known = useLive(live);
  return (
    <Watched
      connection={known?.connection}
      columns={optimizationColumns}
      rows={known?.optimizations ?? null}
      keyOf={({ targetId }) => targetId}
      empty="no optimizations; `skulk optimize MODEL` starts one"
      onLeave={onLeave}
    />
  );
}

/** The machines that stage from the store, with their changes. */
export function WatchedNodes({ live, clock, onLeave }: WatchProps<WatchedLists['nodes']>): ReactElement {
  const known = useLive(live);
  const now = useNow(clock);
  return (
    <Watched
      connection={known?.connection}
      columns={nodeColumns(known?.nodes ?? [], { nodeId: null, now, storeAddress: known?.storeAddress ?? null })}
      rows={known?.nodes ?? null}
      keyOf={({ node_id }) => node_id}
      empty="no machine has reported yet"
      notes={known?.swarms.map(describeSwarm)}
      onLeave={onLeave}
    />
  );
}

/** The header of the table, the last line, and the line of the next prompt. */
const otherLines = 4;
/** More would leave a small window no room for the table. */
const maxNotes = 2;

function Watched<Row>({
  connection,
  columns,
  rows,
  keyOf,
  empty,
  notes: allNotes = [],
  onLeave,
}: {
  readonly connection: Connection | undefined;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[] | null;
  readonly keyOf: (row: Row) => string;
  readonly empty: string;
  /** Lines below the table. */
  readonly notes?: readonly string[] | undefined;
  readonly onLeave: () => void;
}): ReactElement {
  const size = useSize();
  const notes = allNotes.slice(0, maxNotes);
  const maxHeight = Math.max(1, size.rows - otherLines - notes.length);
  const narrow = hiddenTitles(columns, rows ?? [], size.columns, maxHeight);
  const height = narrow.length === 0 ? maxHeight : Math.max(1, maxHeight - 1);
  useKeys('page', (key) => {
    if (key !== 'q') return false;
    onLeave();
    return true;
  });
  const hidden = Math.max(0, (rows?.length ?? 0) - height);
  return (
    <Box flexDirection="column">
      {rows !== null && rows.length > 0 && (
        <Table columns={columns} rows={rows} keyOf={keyOf} width={size.columns} window={{ top: 0, height }} />
      )}
      {rows !== null && rows.length === 0 && <Line parts={[{ text: `  ${empty}`, tone: 'quiet' }]} />}
      {narrow.length > 0 && <Line parts={[{ text: `  ${notShown(narrow)}`, tone: 'quiet' }]} />}
      {notes.map((text) => (
        <Line key={text} parts={[{ text: `  ↑ ${text}`, tone: 'accent' }]} />
      ))}
      {connection?.state === 'lost' && <Line parts={[{ text: `  ✗ ${connection.message}`, tone: 'bad' }]} />}
      <Line
        parts={spread(
          ['  ', ...connectionParts(connection), { text: hidden > 0 ? `  and ${plural(hidden, 'more', 'more')}` : '', tone: 'quiet' }],
          [...hintParts([['q', 'quit']], 10), ' '],
          size.columns,
        )}
      />
    </Box>
  );
}
