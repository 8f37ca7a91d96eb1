import { Box } from 'ink';
import { type ReactElement, useState } from 'react';
import { useKeys } from './keys.tsx';
import { moveInList, newList } from './list-state.ts';
import type { Key } from './read-keys.ts';
import { Blank, Line, type Part } from './words.tsx';

/** Lines that are read, more than fit. */
export interface PagerProps {
  readonly lines: readonly (readonly Part[])[];
  readonly height: number;
  readonly onKey: (key: Key) => boolean;
}

/** Lines that are moved through. */
export function Pager({ lines, height, onKey }: PagerProps): ReactElement {
  const [top, setTop] = useState(0);
  const lowest = Math.max(0, lines.length - height);
  const shown = Math.min(top, lowest);
  useKeys('page', (key) => {
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
