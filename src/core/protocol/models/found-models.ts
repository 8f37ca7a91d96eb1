import { count, flag, list, listOrEmpty, modelId, object, orNull, type Shape, text } from '../schema.ts';

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
