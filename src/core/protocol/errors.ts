import { object, orNull, text } from './schema.ts';
import { Type } from './type-builder.ts';

/** The format of every error answer. */
export const errorBody = object(
  {
    detail: text(),
    code: text(),
    hint: orNull(text()),
    store_url: Type.Optional(
      orNull(
        text(),
        'Only from the API, with NOT_FOUND: the URL of the store, for clients that mistook the port of the API for that of the store',
      ),
    ),
  },
  { description: 'An error: a sentence, a stable code and a hint' },
);
