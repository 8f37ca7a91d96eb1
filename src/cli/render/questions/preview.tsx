import type { ReactElement } from 'react';
import { useKeys } from '../parts/keys.tsx';
import { Pager } from '../parts/pager.tsx';
import { useSize } from '../parts/use-size.ts';
import type { Part } from '../parts/words.tsx';
import { Question } from './question.tsx';

/** Everything else on the screen at this point. */
const otherLines = 12;

/** The content of the file, and the confirmation to write it. */
export function Preview({
  path,
  content,
  onAnswer,
}: {
  readonly path: string;
  readonly content: string;
  readonly onAnswer: () => void;
}): ReactElement {
  const { rows } = useSize();
  const lines = content.trimEnd().split('\n');
  const height = Math.max(3, Math.min(lines.length, rows - otherLines));
  useKeys('page', (key) => {
    if (key !== 'y') return false;
    onAnswer();
    return true;
  });
  const note = lines.length > height ? '  ↑ ↓ shows the rest' : '';
  return (
    <Question ask={`Write this to ${path}?`} keys={[['y', 'write it']]} note={[{ text: note, tone: 'quiet' }]}>
      <Pager lines={lines.map(lineParts)} height={height} onKey={() => false} />
    </Question>
  );
}

const lineParts = (line: string): readonly Part[] => [
  { text: '  │ ', tone: 'accent' },
  { text: line, tone: line.trim().startsWith('#') ? 'quiet' : 'plain' },
];
