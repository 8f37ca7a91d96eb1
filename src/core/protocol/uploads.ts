import { count, countOrZero, list, modelId, object, orNull, type Shape, sha256, text, textOrEmpty, wholeList } from './schema.ts';
import { Type } from './type-builder.ts';

/** The public data of an unfinished upload; sizes in bytes, times in ISO 8601. */
export const listedUpload = object({
  id: text({ description: 'Id with which an admin can cancel it; not the id that its sender has' }),
  model_id: modelId(),
  digest: sha256(),
  from: textOrEmpty('The address of the machine that sends it'),
  who: orNull(text(), 'The name of its token'),
  files: countOrZero(),
  bytes_total: countOrZero(),
  bytes_done: countOrZero(),
  began_at: textOrEmpty(),
  last_byte_at: textOrEmpty(),
});
export type ListedUpload = Shape<typeof listedUpload>;

/** The unfinished uploads. */
export const uploadList = object({ uploads: list(listedUpload) });

/** The pieces of an announced model that must be sent. */
export const announcement = object({
  digest: Type.Optional(sha256()),
  upload: Type.Optional(text({ description: 'The id of the upload, which only its sender has; absent if the store does not support it' })),
  missing: wholeList(wholeList(count(), { minItems: 2, maxItems: 2 }), {
    description: 'The missing pieces: the number of the file in the manifest, and the start of the piece',
  }),
});
