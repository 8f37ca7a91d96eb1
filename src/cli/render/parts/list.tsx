import { Box } from 'ink';
import { type ReactElement, useEffect, useState } from 'react';
import { useKeys } from './keys.tsx';
import type { Column } from './lay-out.ts';
import { hasWords, type ListState, moveInList, placeList } from './list-state.ts';
import type { Key } from './read-keys.ts';
import { Table } from './table.tsx';
import { TextField } from './text-field.tsx';
import { wrap } from './text-width.ts';
import { Line } from './words.tsx';

/** A list with a cursor. */
export interface ListProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** The text for the filter. */
  readonly wordsOf: (row: Row) => string;
  readonly width: number;
  readonly height: number;
  readonly state: ListState;
  /** Changes the state that is current then; a key may have arrived since the last frame. */
  readonly onState: (change: (state: ListState) => ListState) => void;
  /** The lines for an empty list. */
  readonly empty: readonly string[];
  /** Handles other keys, with the row under the cursor, if there is one. */
  readonly onKey: (key: Key, row: Row | undefined) => boolean;
}

/** A list with a cursor and a filter. */
export function List<Row>({ columns, rows, keyOf, wordsOf, width, height, state, onState, empty, onKey }: ListProps<Row>): ReactElement {
  const [isTyping, setTyping] = useState(false);
  const isFiltered = state.words !== '' || isTyping;
  const shown = isFiltered ? rows.filter((row) => hasWords(wordsOf(row), state.words)) : rows;
  const keys = shown.map(keyOf);
  // The header of the table, and the line of the filter.
  const room = height - 1 - (isFiltered ? 1 : 0);
  const { index, top } = placeList(state, keys, room);
  // The cursor stays on the visible row, even if rows before it disappear.
  useEffect(() => {
    const isAsSeen = state.chosen.key === keys[index] && state.chosen.index === index && state.top === top;
    // If a key has moved the cursor since the last frame, the row seen before no longer counts.
    if (keys.length > 0 && !isAsSeen) onState((now) => (now === state ? { ...now, chosen: { key: keys[index], index }, top } : now));
  });
  useKeys('page', (key) => {
    if (key === '/') setTyping(true);
    else if (key === 'escape' && state.words !== '') onState((now) => ({ ...now, words: '' }));
    else if (moveInList(state, key, keys, room) === undefined) return onKey(key, shown[index]);
    else onState((now) => moveInList(now, key, keys, room) ?? now);
    return true;
  });
  return (
    <Box flexDirection="column" height={height} overflow="hidden">
      {isFiltered && (
        <TextField
          label="  filter  "
          value={state.words}
          width={width}
          isActive={isTyping}
          onChange={(words) => onState((now) => ({ ...now, words }))}
          onEnter={() => setTyping(false)}
          onEscape={() => {
            setTyping(false);
            onState((now) => ({ ...now, words: '' }));
          }}
          note={`${shown.length} of ${rows.length}`}
        />
      )}
      {shown.length > 0 ? (
        <Table columns={columns} rows={shown} keyOf={keyOf} width={width} window={{ top, height: room }} chosen={index} />
      ) : (
        <Empty lines={isFiltered ? ['Nothing matches.'] : empty} width={width} />
      )}
    </Box>
  );
}

function Empty({ lines, width }: { readonly lines: readonly string[]; readonly width: number }): ReactElement {
  return (
    <Box flexDirection="column" paddingTop={1} paddingLeft={2}>
      {lines
        .flatMap((text) => (text === '' ? [text] : wrap(text, Math.max(1, width - 2))))
        .map((text) => (
          <Line key={text} parts={[{ text, tone: 'quiet' }]} />
        ))}
    </Box>
  );
}
