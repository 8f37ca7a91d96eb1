import { list, listOrEmpty, object, oneOf, type Shape, text, textOrEmpty, verbatim } from '../schema.ts';
import { Type } from '../type-builder.ts';

/** One bad file, found by `verify`. */
export const badFile = object({
  path: verbatim({ default: '' }),
  problem: oneOf(['missing', 'size', 'content', 'unreadable', 'unusable'], {
    default: 'unreadable',
    description: '`unusable`: it matches its manifest, but no program can load it',
  }),
  reason: Type.Optional(text({ description: 'Why it is unusable, as a sentence' })),
});
export type BadFile = Shape<typeof badFile>;

/** The result for one model in `verify`. */
export const verifiedModel = object({
  model_id: textOrEmpty(),
  selector: Type.Optional(verbatim({ description: 'The only verified quantization, with its shared files; absent for the whole model' })),
  // An unknown status does not count as good.
  status: oneOf(['ok', 'incomplete', 'damaged', 'missing', 'repaired', 'unregistered'], {
    default: 'damaged',
    description:
      '`incomplete`: every byte is correct, but the model cannot be loaded; `repaired`: repaired without losing data; `unregistered`: a directory without a registry entry',
  }),
  bad_files: listOrEmpty(badFile),
  note: Type.Optional(text({ description: 'What was repaired or what to do, as a sentence' })),
});
export type VerifiedModel = Shape<typeof verifiedModel>;

/** The result of `verify`. */
export const verifyReport = object({ ok: Type.Boolean(), models: list(verifiedModel) });
export type VerifyReport = Shape<typeof verifyReport>;
