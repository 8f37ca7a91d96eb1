import type { StoredDigests } from '../../../core/operations/live/read-digests.ts';
import type { ReportedCopy } from '../../../core/protocol/models/reported-copy.ts';
import type { ShownModel } from '../../../core/protocol/models/shown-model.ts';
import { isOlderPart, partOf } from './quantization-columns.ts';

/**
 * Which parts of a copy differ from the store, as words: `older`, or `Q4_K_M older`. Undefined if none does, or if its node does not report
 * digests. Pure.
 */
export function describeOlder(
  copy: ReportedCopy & { readonly digest?: string | null },
  model: Pick<ShownModel, 'digest' | 'quantizations'> | StoredDigests | undefined,
): string | undefined {
  const stored = model?.quantizations ?? [];
  const parts = stored.filter((one) => isOlderPart(partOf(copy, { modelId: copy.model_id, selector: one.selector }), one));
  if (parts.length > 0) return `${parts.map(({ selector }) => selector).join(', ')} older`;
  // A part of the quantizations always has another digest.
  if (stored.length > 0 || copy.digest == null || model?.digest == null || copy.digest === model.digest) return undefined;
  return 'older';
}
