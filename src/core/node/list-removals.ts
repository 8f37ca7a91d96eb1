import type { ModelId } from '../kernel/model-id.ts';
import { findStagedGroup } from '../staging/groups/find-staged-group.ts';
import type { StagingLayout } from '../staging/layout.ts';
import { listCopies, measureUnfinished, type StagedCopy } from '../staging/list-copies.ts';
import { nameOf, type Victim } from './evict-copies.ts';

/** An item that can be removed separately: a quantization, or a copy of a model without any. */
export interface Removal extends Victim {
  /** `org/name` or `org/name:SELECTOR`. */
  readonly reference: string;
  readonly lastUsed: Date;
}

/**
 * The items of some copies that can be removed separately. Shared files are removed with the last quantization. Pure.
 * @param beside bytes of other files that are removed with the last item of a model
 */
export function listRemovals(copies: readonly StagedCopy[], beside: ReadonlyMap<string, number> = new Map()): readonly Removal[] {
  return copies.flatMap(({ modelId, sizeBytes, groups }) => {
    const sharedBytes = groups.reduce((left, group) => left - group.sizeBytes, sizeBytes) + (beside.get(modelId) ?? 0);
    return groups.map((group): Removal => {
      const { selector, sizeBytes: own, lastUsed } = group;
      const { reference } = nameOf({ modelId, selector });
      const one = { modelId, reference, sizeBytes: own, sharedBytes, lastUsed };
      if (groups.length > 1) return { ...one, selector, group, groupCount: groups.length };
      // Without a name, it is the whole copy.
      return selector === null ? one : { ...one, selector };
    });
  });
}

/**
 * Everything that can be removed from a node: copies, with their unfinished successors, and other unfinished copies.
 * @param what only this model, or only this quantization; undefined for everything
 */
export async function findRemovals(
  layout: StagingLayout,
  what?: { readonly modelId: ModelId; readonly selector?: string | undefined },
): Promise<readonly Victim[]> {
  const isSelected = ({ modelId }: { readonly modelId: ModelId }): boolean => what === undefined || what.modelId === modelId;
  const unfinished = (await measureUnfinished(layout)).filter(isSelected);
  const copies = (await listCopies(layout)).copies.filter(isSelected);
  const isCopied = new Set<string>(copies.map(({ modelId }) => modelId));
  const beside = new Map<string, number>(unfinished.map(({ modelId, sizeBytes }) => [modelId, sizeBytes]));
  const selector = what?.selector;
  if (selector !== undefined) return copies.flatMap((copy) => findPart(copy, selector, beside));
  return [
    // A requested removal includes copies that were just used.
    ...listRemovals(copies, beside).map(({ lastUsed: _, ...victim }) => victim),
    ...unfinished.filter(({ modelId }) => !isCopied.has(modelId)),
  ];
}

/** The quantization of a copy that a selector names. */
function findPart({ modelId, sizeBytes, parts }: StagedCopy, selector: string, beside: ReadonlyMap<string, number>): readonly Victim[] {
  const part = findStagedGroup(parts, selector);
  if (part === undefined) return [];
  const sharedBytes = parts.reduce((left, one) => left - one.sizeBytes, sizeBytes) + (beside.get(modelId) ?? 0);
  const victim = { modelId, selector: part.selector, sizeBytes: part.sizeBytes, sharedBytes };
  return [parts.length === 1 ? victim : { ...victim, group: part, groupCount: parts.length }];
}
