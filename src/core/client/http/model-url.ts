import type { ModelId } from '../../kernel/model-id.ts';

/** A model's id as one segment of a URL. */
export const modelUrl = (modelId: ModelId, ...rest: readonly string[]): string =>
  ['/models', encodeURIComponent(modelId), ...rest].join('/');
