import { argument, value, variadic } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { type ModelId, parseModelRef } from '../core/kernel/model-id.ts';

const form = '[org/]name[@revision][:selector]';

/** One model, in any form that users paste. */
export const modelArgument = (what = 'the model') => argument(`${what}, as ${form}`, { parse: parseModelRef, completes: 'models' });

/** Models, in any form that users paste. */
export const modelsArgument = (what = 'models', { optional = false }: { readonly optional?: boolean } = {}) =>
  variadic(`${what}, as ${form}`, { parse: parseModelRef, optional, completes: 'models' });

/** The same as an option. */
export const modelOption = (description: string) => value(description, 'MODEL', { parse: parseModelRef, completes: 'models' });

/**
 * The id of a new model, without a selector or a revision.
 * @throws SkulkError USAGE, BAD_MODEL_ID
 */
export function parseNewModelId(text: string): ModelId {
  const { modelId, revision, selector } = parseModelRef(text);
  if (selector !== undefined)
    throw new SkulkError('USAGE', `${selector} names a part of a model, so it cannot be in the name of a new model`, {
      hint: `use --as ${modelId}`,
    });
  if (revision !== undefined)
    throw new SkulkError('USAGE', `the revision ${revision} cannot be in the name of a new model`, {
      hint: `use --as ${modelId} --revision ${revision}`,
    });
  return modelId;
}
