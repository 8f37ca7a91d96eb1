import type { InitAnswers } from '../../core/operations/settings/config.ts';
import type { ConfigQuestions } from '../../core/operations/settings/config-questions.ts';
import { AskConfig } from './questions/ask-config.tsx';
import { type Canvas, showScreen } from './screen/show-screen.tsx';

/** Asks below the prompt, where the answers stay. @returns undefined if the user leaves */
export const showQuestions = (questions: ConfigQuestions, canvas: Canvas): Promise<InitAnswers | undefined> =>
  showScreen<InitAnswers | undefined>((leave) => <AskConfig questions={questions} onEnd={leave} />, canvas, {
    isFull: false,
    atInterrupt: undefined,
  });
