import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PathQuestion } from '../../src/cli/render/questions/path-question.tsx';
import type { PathView } from '../../src/core/operations/settings/config-questions.ts';
import { show } from './show-part.tsx';

/** A question for a directory whose disk check lasts as long as the test needs. */
function askSlowly() {
  const answers: string[] = [];
  const looks: { readonly text: string; readonly end: (outcome: PathView | Error) => void }[] = [];
  const inspect = (text: string): Promise<PathView> =>
    new Promise((resolve, reject) => {
      looks.push({ text, end: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)) });
    });
  const shown = show(
    <PathQuestion ask="Where?" first="/a" madeBy={() => 'make it'} inspect={inspect} onAnswer={(text) => void answers.push(text)} />,
  );
  const end = async (outcome: PathView | Error): Promise<void> => {
    looks.at(-1)?.end(outcome);
    for (let turns = 0; turns < 10; turns += 1) await setImmediate();
  };
  return { ...shown, answers, end };
}

const there = { path: '/a', isThere: true, free_bytes: 1 };

test('Enter before the disk check ends is applied when the check ends', async () => {
  const { press, answers, end } = askSlowly();
  await press('b', '\r');
  expect(answers).toEqual([]);
  await end(there);
  expect(answers).toEqual(['/ab']);
});

test('Enter on an invalid or changed value does not answer the question', async () => {
  const { press, answers, end } = askSlowly();
  await press('\r');
  await end(new Error('no directory'));
  expect(answers).toEqual([]);
  await press('b', '\r', 'c');
  await end(there);
  expect(answers).toEqual([]);
  await press('\r');
  expect(answers).toEqual(['/abc']);
});
