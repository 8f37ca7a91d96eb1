import { type ReactElement, useEffect, useState } from 'react';
import type { ConfigQuestions, OfferedStore, StorePlace } from '../../../core/operations/settings/config-questions.ts';
import { explain } from '../parts/explain.ts';
import { TextField } from '../parts/text-field.tsx';
import { useSize } from '../parts/use-size.ts';
import { useTask } from '../parts/use-task.ts';
import { Line, type Part } from '../parts/words.tsx';
import { Choice } from './choice.tsx';
import { Question } from './question.tsx';

/** The store of a node: one that announces itself, or one that the user types. */
export function StoreQuestion({
  questions,
  onAnswer,
}: {
  readonly questions: ConfigQuestions;
  readonly onAnswer: (place: StorePlace, answerText: string) => void;
}): ReactElement {
  const [found, setFound] = useState<readonly OfferedStore[]>();
  const [isTyping, setTyping] = useState(false);
  const choosing = useTask<void>();
  useEffect(() => {
    const over = new AbortController();
    questions.findStores(over.signal).then(
      (stores) => over.signal.aborted || setFound(stores),
      () => over.signal.aborted || setFound([]),
    );
    return () => over.abort();
  }, [questions]);
  if (found === undefined)
    return (
      <Question ask={ask} keys={[]}>
        {<Line parts={[{ text: '  searching the LAN for stores…', tone: 'quiet' }]} />}
      </Question>
    );
  if (found.length === 0 || isTyping) return <TypedStore questions={questions} isAlone={found.length === 0} onAnswer={onAnswer} />;
  const options = [
    ...found.map((store) => ({
      value: store,
      text: store.hostname === '' ? store.url : store.hostname,
      means: `${store.url}  skulk ${store.version}`,
    })),
    { value: undefined, text: 'another one', means: 'enter a name or address' },
  ];
  return (
    <Choice
      ask={ask}
      options={options}
      {...(choosing.isBusy && { note: [{ text: '  asking it for its address…', tone: 'quiet' }] as const })}
      onAnswer={({ value: store }) => {
        if (choosing.isBusy) return;
        if (store === undefined) return setTyping(true);
        choosing.start(async () => {
          const place = await questions.placeOf(store, new AbortController().signal);
          onAnswer(place, describePlace(place));
        });
      }}
    />
  );
}

const ask = 'Which store should it stage from?';

function TypedStore({
  questions,
  isAlone,
  onAnswer,
}: {
  readonly questions: ConfigQuestions;
  /** Whether no store announces itself. */
  readonly isAlone: boolean;
  readonly onAnswer: (place: StorePlace, answerText: string) => void;
}): ReactElement {
  const { columns } = useSize();
  const [text, setText] = useState('');
  const [refused, setRefused] = useState<string>();
  const connecting = useTask<void>();
  const tryStore = (): void =>
    connecting.start(async () => {
      const place = await questions.connect(text, new AbortController().signal).catch((error: unknown) => {
        // Entering the same text again confirms it: the store may be started later.
        if (refused !== text) {
          setRefused(text);
          throw error;
        }
        return questions.read(text);
      });
      onAnswer(place, describePlace(place));
    });
  return (
    <Question
      ask={ask}
      keys={[['enter', refused === text ? 'keep it anyway' : 'next']]}
      note={noteOf(connecting.isBusy, connecting.error, isAlone)}
    >
      <TextField
        label="  › "
        value={text}
        width={columns}
        placeholder="a name or an address, e.g. mac-studio-1 or 192.168.1.10:58080"
        onChange={(now) => {
          setText(now);
          connecting.reset();
        }}
        onEnter={() => {
          if (text.trim() !== '' && !connecting.isBusy) tryStore();
        }}
      />
    </Question>
  );
}

function noteOf(isBusy: boolean, error: unknown, isAlone: boolean): readonly Part[] {
  if (isBusy) return [{ text: '  asking it…', tone: 'quiet' }];
  if (error !== undefined) return [{ text: `  ✗ ${explain(error).message}`, tone: 'bad' }];
  return [{ text: isAlone ? '  no store found on this network' : '', tone: 'quiet' }];
}

const describePlace = ({ storeHost = '', storeHttpHost, storePort }: StorePlace): string =>
  `${storeHost}${storeHttpHost === undefined ? '' : ` at ${storeHttpHost}`}${storePort === 58_080 ? '' : `, port ${storePort}`}`;
