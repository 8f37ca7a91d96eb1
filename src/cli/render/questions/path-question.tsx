import { type ReactElement, useEffect, useState } from 'react';
import type { PathView } from '../../../core/operations/settings/config-questions.ts';
import { explain } from '../parts/explain.ts';
import { formatBytes } from '../parts/format.ts';
import { TextField } from '../parts/text-field.tsx';
import { useSize } from '../parts/use-size.ts';
import type { Part } from '../parts/words.tsx';
import { Question } from './question.tsx';

/** The result of checking the path in `of`. */
type Known = { readonly of: string } & ({ readonly view: PathView } | { readonly problem: string });

/** A directory, with the space on its disk shown while the user types. An unusable one is rejected. */
export function PathQuestion({
  ask,
  first,
  madeBy,
  inspect,
  onAnswer,
}: {
  readonly ask: string;
  readonly first: string;
  /** What creates a directory that does not exist yet. */
  readonly madeBy: (view: PathView) => string;
  readonly inspect: (text: string) => Promise<PathView>;
  readonly onAnswer: (text: string, view: PathView) => void;
}): ReactElement {
  const { columns } = useSize();
  const [text, setText] = useState(first);
  const [known, setKnown] = useState<Known>();
  /** The text when Enter was pressed: its check may not have finished yet. */
  const [entered, setEntered] = useState<string>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text is another answer, another function is not
  useEffect(() => {
    let isOver = false;
    const settle = (now: Known): void => {
      if (!isOver) setKnown(now);
    };
    inspect(text).then(
      (view) => settle({ of: text, view }),
      (error: unknown) => settle({ of: text, problem: problemOf(error) }),
    );
    return () => {
      isOver = true;
    };
  }, [text]);
  const answer = known !== undefined && 'view' in known && known.of === text && entered === text ? known.view : undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is answered once, whatever function takes it
  useEffect(() => {
    if (answer !== undefined) onAnswer(text.trim(), answer);
  }, [answer]);
  return (
    <Question ask={ask} keys={[['enter', 'next']]} note={noteOf(known, madeBy)}>
      <TextField
        label="  › "
        value={text}
        width={columns}
        onChange={(next) => {
          setText(next);
          setEntered(undefined);
        }}
        onEnter={() => setEntered(text)}
      />
    </Question>
  );
}

function noteOf(known: Known | undefined, madeBy: (view: PathView) => string): readonly Part[] {
  if (known === undefined) return [];
  if ('problem' in known) return [{ text: `  ✗ ${known.problem}`, tone: 'bad' }];
  const { isThere, free_bytes } = known.view;
  return [
    { text: `  ${formatBytes(free_bytes)} free`, tone: 'good' },
    { text: isThere ? ' on its disk' : ` on its disk; ${madeBy(known.view)}`, tone: 'quiet' },
  ];
}

function problemOf(error: unknown): string {
  const { message, hint } = explain(error);
  return hint === undefined ? message : `${message} (${hint})`;
}
