import { SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';

/** The error for a model that is not in the store. */
export const noModel = (modelId: ModelId): SkulkError =>
  new SkulkError('MODEL_NOT_FOUND', `${modelId} is not in the store`, { hint: '`skulk registry` lists the models' });
