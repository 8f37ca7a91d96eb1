import { Box } from 'ink';
import { type ReactElement, useState } from 'react';
import { useKeys } from './keys.tsx';
import { moveInList, newList } from './list-state.ts';
import type { Key } from './read-keys.ts';
import { Blank, Line, type Part } from './words.tsx';

/** A text with more lines than fit. */
export interface PagerProps {
  readonly lines: readonly (readonly Part[])[];
  readonly height: number;
  /** Some of the lines can be selected. */
  readonly cursor?: PagerCursor | undefined;
  readonly onKey: (key: Key) => boolean;
}

/** The selectable lines, and the selected one. */
export interface PagerCursor {
  readonly lines: readonly number[];
  readonly at: number;
  readonly onMove: (at: number) => void;
}

const directions: Readonly<Record<Key, -1 | 1>> = { up: -1, k: -1, down: 1, j: 1 };

/**
 * Lines that can be scrolled. The keys for one line move the cursor if its line is visible and there is a next one; otherwise they
 * scroll.
 */
export function Pager({ lines, height, cursor, onKey }: PagerProps): ReactElement {
  const [top, setTop] = useState(0);
  const lowest = Math.max(0, lines.length - height);
  const shown = Math.min(top, lowest);
  useKeys('page', (key) => {
    const direction = Object.hasOwn(directions, key) ? directions[key] : undefined;
    const line = cursor?.lines[cursor.at] ?? -1;
    const next = direction === undefined ? undefined : cursor?.lines[cursor.at + direction];
    if (cursor !== undefined && direction !== undefined && next !== undefined && line >= shown && line < shown + height) {
      cursor.onMove(cursor.at + direction);
      setTop(Math.max(next - height + 1, Math.min(shown, next)));
      return true;
    }
    const keys = Array.from({ length: lowest + 1 }, (_, index) => String(index));
    const moved = moveInList({ ...newList, chosen: { key: undefined, index: shown } }, key, keys, height);
    if (moved === undefined) return onKey(key);
    setTop(moved.chosen.index);
    return true;
  });
  return (
    <Box flexDirection="column" height={height} overflow="hidden">
      {lines.slice(shown, shown + height).map((parts, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other names
        parts.length === 0 ? <Blank key={index} /> : <Line key={index} parts={parts} />,
      )}
    </Box>
  );
}
