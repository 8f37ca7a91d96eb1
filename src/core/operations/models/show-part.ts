import { mayHave } from '../../protocol/describe/may-have.ts';
import type { ShownModel } from '../../protocol/models/shown-model.ts';
import { findStagedGroup } from '../../staging/groups/find-staged-group.ts';
import type { StagedCopy } from '../../staging/list-copies.ts';

/** The copy of this machine, as `show` describes it: with a selector, only the quantization. Pure. */
export function describeCopy(copy: StagedCopy | undefined, selector: string | undefined): ShownModel['staged'] {
  if (copy === undefined) return null;
  // A copy of another program does not list its quantizations.
  const isWhole = selector === undefined || copy.parts.length === 0;
  const part = isWhole ? copy : findStagedGroup(copy.parts, selector);
  return part === undefined ? null : { path: copy.directory, digest: part.digest, last_used: part.lastUsed.toISOString() };
}

/** The nodes that reported a quantization, each with what it reported about that one. Pure. */
export const nodesWithPart = (nodes: ShownModel['nodes'], selector: string): ShownModel['nodes'] =>
  nodes.flatMap((node) => {
    const part = node.quantizations?.find((one) => mayHave({ quantizations: [one] }, selector));
    if (part === undefined) return [];
    const { size_bytes, last_used, in_use, over_budget } = part;
    return [{ ...node, size_bytes, last_used, in_use, over_budget, quantizations: [part] }];
  });
