import { type ErrorCode, SkulkError } from '../core/kernel/errors.ts';

/** The error for failed or incomplete removals. */
export function failedRemovals(
  failed: readonly { readonly model_id: string; readonly code: ErrorCode; readonly message: string; readonly hint?: string | undefined }[],
): SkulkError | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const others = failed.length === 1 ? '' : ` (and ${failed.length - 1} more)`;
  return new SkulkError('PARTIAL', `${first.message}${others}`, { hint: first.hint });
}
