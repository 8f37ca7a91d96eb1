import { SkulkError } from './errors.ts';
import type { ModelId } from './model-id.ts';
import { nearest } from './nearest.ts';

/** The model that was probably meant, or undefined when none is close. */
export function suggestModel(modelId: ModelId, known: Iterable<string>): string | undefined {
  const ids = [...known];
  return ids.find((id) => id.endsWith(`/${modelId}`)) ?? nearest(modelId, ids);
}

/** What to do about a name that is not there. @param suggestion the model that was probably meant */
export const missingModelHint = (suggestion: string | undefined): string =>
  suggestion === undefined ? '`skulk registry` lists the models' : `did you mean ${suggestion}? \`skulk registry\` lists what is there`;

/**
 * That a model is not there, with the one that was probably meant. Comparing takes its time with thousands of models, so it is for
 * whoever asks by hand.
 * @param where as in `in the store`
 * @param then what follows of it, for the hint
 */
export function noSuchModel(modelId: ModelId, where: string, known: Iterable<string>, then?: string): SkulkError {
  const hint = missingModelHint(suggestModel(modelId, known));
  return new SkulkError('MODEL_NOT_FOUND', `${modelId} is not ${where}`, { hint: then === undefined ? hint : `${hint}; ${then}` });
}
