import { countOrZero, flag, listOrEmpty, object, orNull, type Schema, type Shape, strictObject, text } from './schema.ts';
import { Type } from './type-builder.ts';

const progressLine = object({ progress: object({ bytes_done: countOrZero(), bytes_total: countOrZero() }) });
const errorLine = object({ error: object({ code: text(), message: text({ default: 'no reason given' }), hint: orNull(text()) }) });

/** A line in the answer of long work: progress at intervals, finally the result or the error. */
export const workLine = <S extends Schema>(result: S) =>
  Type.Union([object({ result }), errorLine, progressLine], {
    description: 'Lines of JSON: `progress` from time to time, finally `result` or `error`',
  });

/** What to verify. */
export const verifyBody = strictObject({
  model_ids: Type.Optional(
    listOrEmpty(text({ maxLength: 5000 }), {
      description: 'Models, or quantizations of them as `org/name:SELECTOR`; all models when absent or empty',
    }),
  ),
  repair: Type.Optional(flag()),
});
export type VerifyBody = Shape<typeof verifyBody>;

/** The directory that is about to be filled with a model. */
export const placeBody = strictObject({
  incoming: Type.Optional(
    text({
      minLength: 1,
      maxLength: 255,
      description: "Name of the directory inside the store's incoming/ that will be adopted; absent: nothing is replaced yet",
    }),
  ),
});
export type PlaceBody = Shape<typeof placeBody>;

/** What to add to the store. */
export const adoptBody = strictObject({
  incoming: Type.Optional(
    text({
      minLength: 1,
      maxLength: 255,
      description: "Name of a directory inside the store's incoming/; absent: the model's own directory is adopted in place",
    }),
  ),
  digest: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$', description: 'The expected digest of the content' })),
  revision: Type.Optional(text({ minLength: 1, maxLength: 255 })),
  force: Type.Optional(Type.Boolean({ description: 'Replace a model that exists with different content' })),
});
export type AdoptBody = Shape<typeof adoptBody>;
