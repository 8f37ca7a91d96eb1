import { SkulkError } from './errors.ts';
import type { ModelId } from './model-id.ts';
import { nearest } from './nearest.ts';

/** The known model with the closest id, or one that begins with this id, for a suggestion; undefined if there is none. */
export function suggestModel(modelId: ModelId, known: Iterable<string>): string | undefined {
  const ids = [...known];
  // Models of one organization are not alike because of its name.
  const { length } = modelId.slice(modelId.indexOf('/') + 1);
  const begins = (id: string): boolean => id.toLowerCase().startsWith(modelId.toLowerCase());
  return ids.find((id) => id.endsWith(`/${modelId}`)) ?? nearest(modelId, ids, length) ?? ids.find(begins);
}

/** The hint for a model that was not found. @param suggestion the known model with the closest id */
const missingModelHint = (suggestion: string | undefined): string =>
  suggestion === undefined ? '`skulk registry` lists the models' : `did you mean ${suggestion}? \`skulk registry\` lists what is there`;

/**
 * The error for a model that was not found, with a suggestion. The comparison is slow with thousands of models, so use it only for
 * commands that a user typed.
 * @param where e.g. `in the store`
 * @param then the consequence, for the hint
 */
export function noSuchModel(modelId: ModelId, where: string, known: Iterable<string>, then?: string): SkulkError {
  const hint = missingModelHint(suggestModel(modelId, known));
  return new SkulkError('MODEL_NOT_FOUND', `${modelId} is not ${where}`, { hint: then === undefined ? hint : `${hint}; ${then}` });
}
