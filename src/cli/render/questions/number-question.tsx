import { type ReactElement, useState } from 'react';
import { TextField } from '../parts/text-field.tsx';
import { useSize } from '../parts/use-size.ts';
import { Question } from './question.tsx';

/** A number of 0 or more; other input is rejected. */
export function NumberQuestion({
  ask,
  first,
  unit,
  note,
  onAnswer,
}: {
  readonly ask: string;
  readonly first: number;
  readonly unit: string;
  readonly note: string;
  readonly onAnswer: (value: number) => void;
}): ReactElement {
  const { columns } = useSize();
  const [text, setText] = useState(String(first));
  const value = /^\d{1,7}(?:\.\d{1,3})?$/.test(text.trim()) ? Number(text) : undefined;
  return (
    <Question
      ask={ask}
      keys={[['enter', 'next']]}
      note={
        value === undefined ? [{ text: `  ✗ must be a number of ${unit}, 0 or more`, tone: 'bad' }] : [{ text: `  ${note}`, tone: 'quiet' }]
      }
    >
      <TextField
        label="  › "
        value={text}
        width={columns}
        note={unit}
        onChange={setText}
        onEnter={() => {
          if (value !== undefined) onAnswer(value);
        }}
      />
    </Question>
  );
}
