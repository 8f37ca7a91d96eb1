import type { ReactElement } from 'react';
import { toSentence } from './to-sentence.ts';

/** A text of the server as a sentence; text between backticks is code. */
export function Sentence({ text }: { readonly text: string }): ReactElement {
  const parts = toSentence(text).split(/`([^`]+)`/);
  // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text have no other name, and none moves.
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
