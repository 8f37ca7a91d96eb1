import { Box } from 'ink';
import type { ReactElement } from 'react';
import { useKeys } from './keys.tsx';
import type { Key } from './read-keys.ts';
import { fillParts } from './spread.ts';
import { cut, widthOf } from './text-width.ts';
import { useSize } from './use-size.ts';
import { Line, type Part, type Tone } from './words.tsx';

/** A line of a dialog; an element for an input field. */
export type DialogLine = readonly Part[] | ReactElement;

/** A dialog over the screen. */
export interface DialogProps {
  readonly title: string;
  readonly tone?: Tone;
  readonly lines: readonly DialogLine[];
  /** The meaning of the keys, below everything. */
  readonly keys: readonly Part[];
  /** Gets every key that is not typed into a field; nothing below the dialog gets one. */
  readonly onKey: (key: Key) => void;
}

/** On each side: an empty column to separate it from the content below, the frame, and two columns of padding. */
const frame = 8;
const widest = 80;
/** The header of the screen stays visible if there is space. */
const headLines = 4;
/** The frame, its empty lines and the keys. */
const otherLines = 6;

/** The number of columns for the lines of a dialog. */
export const useDialogWidth = (): number => Math.min(useSize().columns, widest) - frame;

/** The maximum number of lines in a dialog. Of more, empty lines are left out first, and what is still too much is cut off. */
export const useDialogLines = (): number => Math.max(1, useSize().rows - otherLines);

/** A dialog in the middle of the screen. The content below stays visible around it. */
export function Dialog({ title, tone = 'accent', lines, keys, onKey }: DialogProps): ReactElement {
  const { columns, rows } = useSize();
  const width = useDialogWidth();
  const maxLines = useDialogLines();
  useKeys(
    'dialog',
    (key) => {
      onKey(key);
      return true;
    },
    () => true,
  );
  const shown = (lines.length > maxLines ? lines.filter(isNotEmpty) : lines).slice(0, maxLines);
  const height = shown.length + otherLines;
  const top = Math.max(0, Math.min(rows - height, Math.max(headLines, Math.floor((rows - height) / 2))));
  const rule = (length: number): string => '─'.repeat(Math.max(0, length));
  const heading = ` ${cut(title, width, 'middle')} `;
  const inside = width + frame - 4;
  return (
    <Box position="absolute" flexDirection="column" marginLeft={Math.floor((columns - width - frame) / 2)} marginTop={top}>
      <Line
        parts={[
          { text: ' ╭─', tone },
          { text: heading, tone: 'strong' },
          { text: `${rule(inside - 1 - widthOf(heading))}╮ `, tone },
        ]}
      />
      {[[], ...shown, [], keys].map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a dialog have no other names
        <Box key={index}>
          <Line parts={[{ text: ' │  ', tone }]} />
          <Box width={width}>{'type' in line ? line : <Line parts={fillParts(line, width)} />}</Box>
          <Line parts={[{ text: '  │ ', tone }]} />
        </Box>
      ))}
      <Line parts={[{ text: ` ╰${rule(inside)}╯ `, tone }]} />
    </Box>
  );
}

const isNotEmpty = (line: DialogLine): boolean => 'type' in line || line.length > 0;
