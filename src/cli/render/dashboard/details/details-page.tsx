import { Box } from 'ink';
import type { ReactElement } from 'react';
import { Pager, type PagerCursor } from '../../parts/pager.tsx';
import type { Key } from '../../parts/read-keys.ts';
import { Blank, Line, type Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';

/** The page of one item, instead of its list. */
export function DetailsPage({
  title,
  lines,
  cursor,
  onKey,
}: {
  readonly title: string;
  readonly lines: readonly (readonly Part[])[];
  readonly cursor?: PagerCursor | undefined;
  readonly onKey: (key: Key) => boolean;
}): ReactElement {
  const { height, show } = useDashboard();
  return (
    <Box flexDirection="column" height={height}>
      <Line parts={[{ text: `  ${title}`, tone: 'title' }]} />
      <Blank />
      <Pager
        lines={lines}
        cursor={cursor}
        height={height - 2}
        onKey={(key) => {
          if (key !== 'escape' && key !== 'q' && key !== 'backspace') return onKey(key);
          show(undefined);
          return true;
        }}
      />
    </Box>
  );
}
