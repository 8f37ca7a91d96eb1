import { provenance, sideKind } from '../manifest.ts';
import {
  amount,
  count,
  countOrZero,
  flag,
  list,
  listOrEmpty,
  modelId,
  nodeId,
  object,
  oneOf,
  orNull,
  type Shape,
  text,
  textOrEmpty,
  time,
  verbatim,
} from '../schema.ts';
import { Type } from '../type-builder.ts';
import { problems, traits } from './entries.ts';
import { reportedCopy } from './reported-copy.ts';

/** The role of a companion (a card has at most one repo for each). */
export const companionRole = oneOf(['vision', 'mtp', 'assistant']);
export type CompanionRole = Shape<typeof companionRole>;

const { model_id: _, ...copyFacts } = reportedCopy.properties;
const nodeName = Type.Optional(
  text({ description: 'Its host name, with the beginning of its id if another known machine has the same host name' }),
);

/** One quantization of a model in the store; sizes in bytes. */
export const storedQuantization = object({
  selector: verbatim({ description: 'What names it behind the colon of a reference' }),
  label: orNull(text(), 'Quantization label from its name, e.g. `Q4_K_M`'),
  files: listOrEmpty(verbatim(), { description: 'Its own files in order, without those shared with other quantizations' }),
  size_bytes: countOrZero('Of its own files'),
  bits_per_weight: orNull(amount(), 'Null if unknown'),
  digest: orNull(text(), 'Of its own files; null until the model is hashed'),
  staged_on: listOrEmpty(text(), { description: 'Host names of the nodes that have it staged' }),
});
export type StoredQuantization = Shape<typeof storedQuantization>;

/** One quantization of a model's repo that the store does not have; sizes in bytes. */
export const availableQuantization = object({
  selector: verbatim({ description: 'What names it behind the colon of a reference, e.g. for `skulk download`' }),
  size_bytes: countOrZero('Of its own files'),
  bits_per_weight: orNull(amount(), 'Null if unknown'),
  files: countOrZero('Number of its own files'),
});
export type AvailableQuantization = Shape<typeof availableQuantization>;

/** One model, as it is in the store and on the answering node. */
export const shownModel = object({
  model_id: modelId(),
  store_path: textOrEmpty(),
  total_bytes: countOrZero(),
  downloaded_at: textOrEmpty(),
  digest: orNull(text(), 'Null until the model is hashed, like the other values from the manifest'),
  revision: orNull(text()),
  commit: orNull(text()),
  source: orNull(text()),
  provenance: Type.Optional(provenance),
  companions: listOrEmpty(object({ model_id: modelId(), role: companionRole }), { description: 'The companions that its card names' }),
  ...traits.properties,
  hashed: flag(),
  files: listOrEmpty(object({ path: verbatim(), size: orNull(count()), sha256: orNull(text()), gguf_kind: Type.Optional(sideKind) })),
  quantizations: Type.Optional(
    list(storedQuantization, { description: 'Its GGUF quantizations, best choice first; absent if the store does not report them' }),
  ),
  not_in_store: Type.Optional(
    list(availableQuantization, {
      description:
        'GGUF quantizations that its repo had when it was last downloaded and that the store does not have, best choice first; absent if unknown',
    }),
  ),
  staged: orNull(object({ path: verbatim(), digest: orNull(text()), last_used: time() }), 'The copy on the answering machine'),
  nodes: listOrEmpty(object({ node_id: nodeId(), hostname: textOrEmpty(), name: nodeName, ...copyFacts }), {
    description: 'The nodes that have reported a copy',
  }),
  problems,
});
export type ShownModel = Shape<typeof shownModel>;
