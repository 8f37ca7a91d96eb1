import { AskConfig } from './questions/ask-config.tsx';
import { type Canvas, showScreen } from './screen/show-screen.tsx';
import type { ConfigAnswers, ConfigQuestions } from './shapes.ts';

/** Asks below the prompt, where the answers stay. @returns undefined when somebody leaves */
export const showQuestions = (questions: ConfigQuestions, canvas: Canvas): Promise<ConfigAnswers | undefined> =>
  showScreen<ConfigAnswers | undefined>((leave) => <AskConfig questions={questions} onEnd={leave} />, canvas, {
    isFull: false,
    atInterrupt: undefined,
  });
