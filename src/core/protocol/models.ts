import { provenance, sideKind } from './manifest.ts';
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
  sha256,
  text,
  textOrEmpty,
  time,
  verbatim,
} from './schema.ts';
import { Type } from './type-builder.ts';

/** Short properties of a model. */
export const tag = oneOf(['vision', 'thinking', 'embedding', 'tensor', 'optiq']);
export type Tag = Shape<typeof tag>;

/** Where the card of a model is: in `cards_path`, beside the manifests of the store, among its files, or as the Python program keeps it. */
export const cardPlace = oneOf(['cards_path', 'store', 'model', 'python']);
export type CardPlace = Shape<typeof cardPlace>;

/** What a model is, as far as its card and its small files tell; null for what nothing tells. */
export const traits = object({
  tags: list(tag),
  capabilities: listOrEmpty(text(), { description: 'As in model cards: `text`, `vision`, `thinking`, `embedding`, …' }),
  supports_tensor: orNull(Type.Boolean()),
  base_model: orNull(text()),
  quantization: orNull(text()),
  family: orNull(text()),
  context_length: orNull(count(), 'In tokens'),
  parameters: orNull(count(), 'As its safetensors or GGUF files say'),
  license: orNull(text(), 'As its README or GGUF file says, e.g. apache-2.0'),
  card: Type.Optional(orNull(cardPlace, 'Where its model card is; null without one')),
});
export type Traits = Shape<typeof traits>;

const { files, ...facts } = {
  model_id: modelId(),
  store_path: textOrEmpty("Directory of the model, relative to the store's root"),
  files: listOrEmpty(verbatim()),
  downloaded_at: textOrEmpty('ISO 8601'),
  total_bytes: countOrZero(),
  repo_has_projector: orNull(Type.Boolean()),
};

/** One model in registry.json: exactly these keys, which the Python Skulk reads too. */
export const registryEntry = object({ ...facts, files });
export type RegistryEntry = Shape<typeof registryEntry>;

const quantizations = Type.Optional(
  list(verbatim(), { description: 'The selectors of its quantizations, best choice first; empty without GGUF weights' }),
);

const quantizationsOfRepo = Type.Optional(
  count({
    description:
      'How many GGUF quantizations its repo had when it was last downloaded; absent if unknown, or if the store has fewer than two of them',
  }),
);
/** A file because of which no program can load a model, or one of its quantizations. */
export const modelProblem = object({
  path: verbatim(),
  reason: text({ description: 'Why it cannot be loaded, as a sentence: `it is empty`' }),
  selector: orNull(verbatim(), 'The quantization that cannot be loaded; null: the whole model'),
});
export type ModelProblem = Shape<typeof modelProblem>;

const problems = Type.Optional(
  list(modelProblem, { description: 'Why no program can load it; absent for a model that can be loaded, and until its files were read' }),
);
const quantizationFacts = { quantizations, quantizations_of_repo: quantizationsOfRepo, problems };

/** The part of an entry that an older store does not have. */
export const namedQuantizations = object(quantizationFacts);

/** A model with its properties. */
export const describedEntry = object({ ...facts, files, ...traits.properties, ...quantizationFacts });
export type DescribedEntry = Shape<typeof describedEntry>;

/** The same for a list that is sent repeatedly: a model may have 50,000 files, so it only has their number. */
export const countedEntry = object({ ...facts, ...traits.properties, file_count: countOrZero(), ...quantizationFacts });
export type CountedEntry = Shape<typeof countedEntry>;

/** The models of a store. */
export const registryList = object({ entries: list(describedEntry) });
export type RegistryList = Shape<typeof registryList>;

/** The models of a store, in OpenAI's list format. */
export const openAiModels = object({
  object: Type.Literal('list'),
  data: list(
    object({
      id: modelId(),
      object: Type.Literal('model'),
      created: count({ description: 'Seconds since 1970' }),
      owned_by: text(),
      ...traits.properties,
      size_bytes: count(),
      files: count(),
      problems,
    }),
  ),
});
export type OpenAiModels = Shape<typeof openAiModels>;

/** The role of a companion (a card has at most one repo for each). */
export const companionRole = oneOf(['vision', 'mtp', 'assistant']);
export type CompanionRole = Shape<typeof companionRole>;

/** A staged copy in its node's report. */
const digestOfPart = Type.Optional(
  orNull(text({ maxLength: 64 }), 'Of its own files, to be compared with that of the store; absent if the node does not report it'),
);

export const reportedCopy = object({
  model_id: modelId(),
  size_bytes: countOrZero(),
  last_used: time(),
  in_use: flag(),
  over_budget: flag('Whether it is evicted when the budget is next applied, unless used before'),
  quantizations: Type.Optional(
    list(
      object({
        selector: orNull(verbatim()),
        size_bytes: countOrZero(),
        last_used: time(),
        in_use: flag(),
        over_budget: flag(),
        digest: digestOfPart,
      }),
      {
        maxItems: 100,
        description:
          'Its quantizations, most recently used first; absent if the node does not report them. `selector` is null for other models',
      },
    ),
  ),
});
export type ReportedCopy = Shape<typeof reportedCopy>;

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

/** A model that a search of the Hub found; null for what the Hub does not say. */
export const foundModel = object({
  model_id: modelId(),
  downloads: orNull(count(), 'In the last 30 days'),
  updated_at: orNull(text(), 'ISO 8601'),
  license: orNull(text(), 'Its tag on the Hub, e.g. apache-2.0'),
  gated: flag('Whether its files need a token of an account with access'),
  formats: listOrEmpty(text(), { description: 'Of its weights: gguf, safetensors, mlx, onnx' }),
  parameters: orNull(count(), 'As its safetensors files say'),
  weights_bytes: orNull(count(), 'Size of its safetensors weights, from the number of parameters of each data type'),
  in_store: flag('Whether the store has a model of this name'),
});
export type FoundModel = Shape<typeof foundModel>;

/** What a search of the Hub found. */
export const foundModels = object({ models: list(foundModel) });
export type FoundModels = Shape<typeof foundModels>;

/** The result of an adoption. */
export const adopted = object({
  entry: registryEntry,
  digest: sha256(),
  outcome: oneOf(['added', 'adopted', 'replaced', 'unchanged']),
});
export type Adopted = Shape<typeof adopted>;

/** What the store has under the id of a model that is about to be added. */
export const foundPlace = object({
  entry: orNull(registryEntry, 'The model of that id; null if there is none'),
  is_untouched: flag('Whether its files are those of its manifest, as far as their sizes and dates tell'),
});
export type FoundPlace = Shape<typeof foundPlace>;

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
