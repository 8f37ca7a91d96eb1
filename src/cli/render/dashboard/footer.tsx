import type { ReactElement } from 'react';
import type { Connection } from '../../../core/kernel/flow/follow.ts';
import { type Hint, hintParts } from '../parts/hints.ts';
import { wrap } from '../parts/text-width.ts';
import { Line, type Part } from '../parts/words.tsx';
import type { Message } from './context.ts';

/** At most three lines of a message; the first has a mark. */
const maxLines = 3;
const marks = { good: '✓', warn: '!', bad: '✗' } as const;

/** The message at the bottom, in lines; one empty line without a message. */
export function messageLines(
  message: Message | undefined,
  connection: Connection | undefined,
  width: number,
): readonly (readonly Part[])[] {
  const shown = message ?? standing(connection);
  if (shown === undefined) return [[' ']];
  const { text, hint, tone } = shown;
  const lines = wrap(hint === undefined ? text : `${text} (${hint})`, width - 6).slice(0, maxLines);
  return lines.map((line, index) => [{ text: `  ${index === 0 ? marks[tone] : ' '} ${line}`, tone }]);
}

/** A message that stays as long as the connection has this state. */
function standing(connection: Connection | undefined): Message | undefined {
  if (connection?.state === 'lost')
    return { text: `${connection.message}; showing the last known state`, hint: connection.hint ?? undefined, tone: 'bad' };
  if (connection?.state === 'asking') return { text: connection.because, tone: 'warn' };
  return undefined;
}

/** The keys that are useful here. */
export const KeyHints = ({ hints, width }: { readonly hints: readonly Hint[]; readonly width: number }): ReactElement => (
  <Line parts={['  ', ...hintParts(hints, width - 4)]} />
);
