import { type ReactElement, useState } from 'react';
import { useKeys } from '../parts/keys.tsx';
import { moveInList, newList, placeList } from '../parts/list-state.ts';
import { Line, type Part } from '../parts/words.tsx';
import { Question } from './question.tsx';

/** One of several answers. */
export interface Option<T> {
  readonly value: T;
  readonly text: string;
  /** Its meaning. */
  readonly means: string;
}

/** A question with a choice of answers. */
export function Choice<T>({
  ask,
  options,
  note,
  onAnswer,
}: {
  readonly ask: string;
  readonly options: readonly Option<T>[];
  readonly note?: readonly Part[];
  readonly onAnswer: (option: Option<T>) => void;
}): ReactElement {
  const [list, setList] = useState(newList);
  const keys = options.map(({ text, means }) => `${text} ${means}`);
  const { index } = placeList(list, keys, options.length);
  const width = Math.max(...options.map(({ text }) => text.length));
  useKeys('page', (key) => {
    const chosen = options[index];
    if (key === 'enter' && chosen !== undefined) onAnswer(chosen);
    else {
      const moved = moveInList(list, key, keys, options.length);
      if (moved === undefined) return false;
      setList(moved);
    }
    return true;
  });
  return (
    <Question
      ask={ask}
      keys={[
        ['↑ ↓', 'choose'],
        ['enter', 'next'],
      ]}
      {...(note !== undefined && { note })}
    >
      {options.map(({ text, means }, at) => (
        <Line
          key={`${text} ${means}`}
          parts={[
            { text: at === index ? '  › ' : '    ', tone: 'accent' },
            { text: text.padEnd(width + 2), tone: at === index ? 'strong' : 'plain' },
            { text: means, tone: 'quiet' },
          ]}
        />
      ))}
    </Question>
  );
}
