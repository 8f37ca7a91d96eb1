import {
  amount,
  count,
  countOrZero,
  flag,
  list,
  listOrEmpty,
  modelId,
  object,
  orNull,
  type Shape,
  text,
  textOrEmpty,
  verbatim,
} from '../schema.ts';
import { Type } from '../type-builder.ts';

const sizedFile = object({ path: verbatim(), size: countOrZero() });

/** One quantization in a repo of GGUF files; sizes in bytes. */
export const quantization = object({
  label: text({ description: 'Its label, e.g. `Q4_K_M`; unique in a repo' }),
  gguf_file: verbatim({ description: 'Value for `POST …/download`: its first file' }),
  files: listOrEmpty(verbatim(), { description: 'All files downloaded with it: its shards, `config.json`, the projectors' }),
  size_bytes: countOrZero(),
  is_preferred: flag('Whether it is the default'),
});
export type Quantization = Shape<typeof quantization>;

/** The same as an offer; `in_store`: the store already has those weights. */
export const offeredQuantization = object({
  ...quantization.properties,
  in_store: flag('Whether the store already has these weights'),
  is_older: Type.Optional(flag('Whether the store has them with other content, as of another commit')),
  own_bytes: Type.Optional(count({ description: 'Of its own files, without those shared with other quantizations' })),
  bits_per_weight: Type.Optional(orNull(amount(), 'Null if unknown')),
});
export type OfferedQuantization = Shape<typeof offeredQuantization>;

/** A file of a repo, and why a download takes or skips it. */
export const plannedFile = object({
  path: verbatim(),
  size: countOrZero(),
  why: text({ description: 'A code for the reason' }),
  reason: text({ description: 'The reason as a sentence' }),
});
export type PlannedFile = Shape<typeof plannedFile>;

/** The files of a repo that a download would take and skip. */
export const downloadPlan = object({
  gguf_file: orNull(verbatim(), 'The file that a program would load'),
  taken: list(plannedFile),
  left: list(plannedFile),
  missing_pin: orNull(text()),
});
export type DownloadPlan = Shape<typeof downloadPlan>;

/** The description of a possible download; sizes in bytes. */
export const hubOffer = object({
  modelId: modelId(),
  revision: textOrEmpty(),
  commit: textOrEmpty(),
  files: listOrEmpty(sizedFile, { description: 'The files of the default download; of very many, the largest' }),
  file_count: countOrZero('Number of files of the default download'),
  total_bytes: countOrZero('Size of the default download'),
  quantizations: list(offeredQuantization, {
    description: 'The choices; empty for a repo without GGUF weights',
  }),
  plan: Type.Optional(downloadPlan),
  kept: Type.Optional(
    object(
      { reason: text({ description: 'Why Hugging Face could not be asked, as a sentence' }) },
      { description: 'Present if this is what the repo had when the model was last downloaded, because Hugging Face could not be asked' },
    ),
  ),
});
export type HubOffer = Shape<typeof hubOffer>;
