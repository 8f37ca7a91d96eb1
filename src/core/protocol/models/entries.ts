import {
  count,
  countOrZero,
  list,
  listOrEmpty,
  modelId,
  object,
  oneOf,
  orNull,
  type Shape,
  text,
  textOrEmpty,
  verbatim,
} from '../schema.ts';
import { Type } from '../type-builder.ts';

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

/** The `problems` of a model. */
export const problems = Type.Optional(
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
