import { formatRef } from '../../../core/kernel/model-id.ts';
import type { StoredDigests } from '../../../core/operations/live/read-digests.ts';
import type { ReportedCopy } from '../../../core/protocol/models/reported-copy.ts';
import type { StagingView } from '../../../core/protocol/staging.ts';

/** The known facts of a copy, or of a quantization in it, on any machine. */
export type CopyFacts = Pick<ReportedCopy, 'size_bytes' | 'last_used' | 'in_use' | 'over_budget'> & {
  /** The digest of a quantization's own files; absent if the node does not report it. */
  readonly digest?: string | null;
};

/** A copy of this machine. */
export type OwnCopy = StagingView['models'][number];

/**
 * The name of a copy. A copy of a part says so: `org/name:Q4_K_M`, or `org/name (2 of 3)`. Pure.
 * @param stored the model in the store; undefined while it is unknown
 */
export function nameCopy(
  { model_id: modelId, quantizations = [] }: Pick<ReportedCopy, 'model_id' | 'quantizations'>,
  stored: StoredDigests | undefined,
): string {
  const [only, ...others] = quantizations;
  const count = stored?.quantizations?.length ?? 0;
  if (only?.selector == null || quantizations.length >= count) return modelId;
  return others.length > 0 ? `${modelId} (${quantizations.length} of ${count})` : formatRef({ modelId, selector: only.selector });
}
