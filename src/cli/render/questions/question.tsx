import { Box } from 'ink';
import type { ReactElement, ReactNode } from 'react';
import { type Hint, hintParts } from '../parts/hints.ts';
import { Blank, Line, type Part } from '../parts/words.tsx';

/** A question with its input, notes about the answer, and its keys. */
export function Question({
  ask,
  children,
  note = [],
  keys,
}: {
  readonly ask: string;
  readonly children: ReactNode;
  readonly note?: readonly Part[];
  readonly keys: readonly Hint[];
}): ReactElement {
  return (
    <Box flexDirection="column">
      <Line
        parts={[
          { text: '? ', tone: 'title' },
          { text: ask, tone: 'strong' },
        ]}
      />
      {children}
      <Line parts={['  ', ...note, ' ']} />
      <Blank />
      <Line parts={['  ', ...hintParts([...keys, ['shift-tab', 'back'], ['esc', 'cancel']], 76)]} />
    </Box>
  );
}
