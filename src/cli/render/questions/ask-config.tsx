import { Box } from 'ink';
import { type ReactElement, useEffect, useState } from 'react';
import type { InitAnswers } from '../../../core/operations/settings/config.ts';
import type { ConfigQuestions, PathView } from '../../../core/operations/settings/config-questions.ts';
import { useKeys } from '../parts/keys.tsx';
import { Blank, Line } from '../parts/words.tsx';
import { Choice } from './choice.tsx';
import { NumberQuestion } from './number-question.tsx';
import { PathQuestion } from './path-question.tsx';
import { Preview } from './preview.tsx';
import { StoreQuestion } from './store-question.tsx';

/** The answers so far: the step, its description for the user, and its changes. */
interface Answered {
  readonly step: Step;
  readonly label: string;
  readonly answerText: string;
  readonly changes: Partial<InitAnswers>;
}

type Step = 'role' | 'store-path' | 'store' | 'copies' | 'budget' | 'write';

const unanswered: InitAnswers = {
  storeHost: undefined,
  storeHttpHost: undefined,
  storePort: undefined,
  storePath: undefined,
  nodeCachePath: undefined,
  keepRecentGb: undefined,
};

/** Asks one question after the other; earlier answers stay visible above. Undefined if the user left, and then nothing is written. */
export function AskConfig({
  questions,
  onEnd,
}: {
  readonly questions: ConfigQuestions;
  readonly onEnd: (answers: InitAnswers | undefined) => void;
}): ReactElement {
  const [answered, setAnswered] = useState<readonly Answered[]>([]);
  const [final, setFinal] = useState<InitAnswers>();
  const answers: InitAnswers = Object.assign({ ...unanswered }, ...answered.map(({ changes }) => changes));
  // After the last frame is drawn, which stays on the screen.
  useEffect(() => {
    if (final !== undefined) onEnd(final);
  }, [final, onEnd]);
  useKeys('page', (key) => {
    if (key === 'escape') onEnd(undefined);
    else if (key === 'shift-tab') setAnswered(answered.slice(0, -1));
    else return false;
    return true;
  });
  const step = nextStep(answered);
  const answer = (label: string, answerText: string, changes: Partial<InitAnswers>): void =>
    setAnswered([...answered, { step, label, answerText, changes }]);
  return (
    <Box flexDirection="column">
      {answered.map(({ step: of, label, answerText }) => (
        <Line key={of} parts={[{ text: '✓ ', tone: 'good' }, `${label.padEnd(14)}  `, { text: answerText, tone: 'strong' }]} />
      ))}
      {answered.length > 0 && final === undefined && <Blank />}
      {final === undefined && (
        <StepOf step={step} questions={questions} answers={answers} answer={answer} onWrite={() => setFinal(answers)} />
      )}
    </Box>
  );
}

/** A host stores models, a node needs the address of its store; both have copies. */
function nextStep(answered: readonly Answered[]): Step {
  const [role] = answered;
  if (role === undefined) return 'role';
  const steps: readonly Step[] = role.changes.storeHost === undefined ? ['store', 'copies', 'budget'] : ['store-path', 'budget'];
  return steps[answered.length - 1] ?? 'write';
}

function StepOf({
  step,
  questions,
  answers,
  answer,
  onWrite,
}: {
  readonly step: Step;
  readonly questions: ConfigQuestions;
  readonly answers: InitAnswers;
  readonly answer: (label: string, answerText: string, changes: Partial<InitAnswers>) => void;
  readonly onWrite: () => void;
}): ReactElement {
  const { hostname } = questions;
  switch (step) {
    case 'role':
      return (
        <Choice
          ask={`What is this machine (${hostname})?`}
          options={[
            { value: hostname, text: 'the store host', means: 'keeps the canonical copy of every model' },
            { value: undefined, text: 'a node', means: 'stages models from a store on another machine' },
          ]}
          onAnswer={({ value, text }) => answer('this machine', `${text}${value === undefined ? '' : `, ${value}`}`, { storeHost: value })}
        />
      );
    case 'store-path':
      return (
        <PathQuestion
          ask="Where should the models be kept?"
          first={questions.storePath}
          madeBy={({ path }) => (path === questions.storePath ? '`skulk serve` creates it' : 'create it before `skulk serve`')}
          inspect={questions.inspectPath}
          onAnswer={(_, view) =>
            answer('models', describePath(view, view.path !== questions.storePath), {
              storePath: view.path === questions.storePath ? undefined : view.path,
            })
          }
        />
      );
    case 'store':
      return <StoreQuestion questions={questions} onAnswer={(place, answerText) => answer('the store', answerText, place)} />;
    case 'copies':
      return (
        <PathQuestion
          ask="Where should this machine keep its verified copies?"
          first={questions.nodeCachePath}
          madeBy={() => 'the first stage creates it'}
          inspect={questions.inspectPath}
          onAnswer={(text, view) => {
            // A path with ~ or $ is also right for other users of the file.
            const written = /^[~$]/.test(text) ? text : view.path;
            answer('copies', written, { nodeCachePath: written === questions.nodeCachePath ? undefined : written });
          }}
        />
      );
    case 'budget':
      return (
        <NumberQuestion
          ask="How much space may idle copies take?"
          first={questions.keepRecentGb}
          unit="GiB"
          note="the most recently used are kept; 0 keeps only copies in use"
          onAnswer={(value) => answer('idle copies', `${value} GiB`, { keepRecentGb: value })}
        />
      );
    case 'write':
      return <Preview path={questions.path} content={questions.preview(answers)} onAnswer={onWrite} />;
  }
}

const describePath = ({ path, isThere }: PathView, mustBeMade: boolean): string =>
  isThere || !mustBeMade ? path : `${path} (create it first: mkdir -p ${path})`;
