import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Problem } from './problems.ts';

/**
 * The error for an impossible request: USAGE for a contradictory request, else FILE_NOT_FOUND.
 * @param where e.g. `Hugging Face`
 */
export function selectionError(
  { code, message, hint }: Problem,
  { modelId, where }: { readonly modelId: ModelId; readonly where: string },
): SkulkError {
  const isUsage = code === 'half-a-group' || code === 'contradiction';
  const place = code === 'no-such-selection' ? ` ${where}` : '';
  return new SkulkError(isUsage ? 'USAGE' : 'FILE_NOT_FOUND', `${modelId} ${message}${place}`, { hint });
}
