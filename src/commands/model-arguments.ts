import { argument, value, variadic } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { type ModelId, type ModelRef, parseModelRef } from '../core/kernel/model-id.ts';

const form = '[org/]name[@revision][:selector]';

/** One model, in any form that people paste. */
export const modelArgument = (what = 'the model') => argument(`${what}, as ${form}`, { parse: parseModelRef, completes: 'models' });

/** Models, in any form that people paste. */
export const modelsArgument = (what = 'models', { optional = false }: { readonly optional?: boolean } = {}) =>
  variadic(`${what}, as ${form}`, { parse: parseModelRef, optional, completes: 'models' });

/** The same as an option. */
export const modelOption = (description: string) => value(description, 'MODEL', { parse: parseModelRef, completes: 'models' });

/**
 * The id that a new model gets: a part or a revision of a model is no name for one.
 * @throws SkulkError USAGE, BAD_MODEL_ID
 */
export function parseNewModelId(text: string): ModelId {
  const { modelId, revision, selector } = parseModelRef(text);
  if (selector !== undefined)
    throw new SkulkError('USAGE', `${selector} is a part of a model and cannot be in the name of a new one`, {
      hint: `use --as ${modelId}`,
    });
  if (revision !== undefined)
    throw new SkulkError('USAGE', `the revision ${revision} cannot be in the name of a new model`, {
      hint: `use --as ${modelId} --revision ${revision}`,
    });
  return modelId;
}

/**
 * For what can only be done to a whole model.
 * @param cannot follows the name of the command, as in `cannot remove`
 * @throws SkulkError USAGE
 */
export function requireWhole(
  { modelId, selector }: ModelRef,
  { command, cannot }: { readonly command: string; readonly cannot: string },
): ModelId {
  if (selector === undefined) return modelId;
  throw new SkulkError('USAGE', `"skulk ${command}" cannot ${cannot} only ${selector} of ${modelId}`, {
    hint: `name the whole model: skulk ${command} ${modelId}`,
  });
}
