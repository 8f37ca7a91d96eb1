import { object, orNull, text } from './schema.ts';

/** The format of every error answer. */
export const errorBody = object(
  { detail: text(), code: text(), hint: orNull(text()) },
  { description: 'An error: a sentence, a stable code and a hint' },
);
