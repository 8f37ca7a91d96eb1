import { object, orNull, text } from './schema.ts';

/** How every failure is answered. */
export const errorBody = object(
  { detail: text(), code: text(), hint: orNull(text()) },
  { description: 'An error: a sentence, a stable code and a hint' },
);
