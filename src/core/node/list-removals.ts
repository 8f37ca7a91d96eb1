import type { ModelId } from '../kernel/model-id.ts';
import { findStagedGroup } from '../staging/groups/find-staged-group.ts';
import type { StagingLayout } from '../staging/layout.ts';
import { listCopies, measureUnfinished, type StagedCopy } from '../staging/list-copies.ts';
import { nameOf, type Victim } from './evict-copies.ts';

/** Something that can go alone: a quantization, or a copy of a model without any. */
export interface Removal extends Victim {
  /** `org/name` or `org/name:SELECTOR`. */
  readonly reference: string;
  readonly lastUsed: Date;
}

/**
 * What of some copies can go alone. What several quantizations share goes with the last. Pure.
 * @param beside bytes of what else goes with the last one of a model
 */
export function listRemovals(copies: readonly StagedCopy[], beside: ReadonlyMap<string, number> = new Map()): readonly Removal[] {
  return copies.flatMap(({ modelId, sizeBytes, groups }) => {
    const sharedBytes = groups.reduce((left, group) => left - group.sizeBytes, sizeBytes) + (beside.get(modelId) ?? 0);
    return groups.map((group): Removal => {
      const { selector, sizeBytes: own, lastUsed } = group;
      const { reference } = nameOf({ modelId, selector });
      const one = { modelId, reference, sizeBytes: own, sharedBytes, lastUsed };
      if (groups.length > 1) return { ...one, selector, group, groupCount: groups.length };
      // Without a name it is the whole copy.
      return selector === null ? one : { ...one, selector };
    });
  });
}

/**
 * What may be removed of a node: every copy with what is there of its successor, and what is there of others.
 * @param what only of this model, or only this quantization of it; everything when undefined
 */
export async function findRemovals(
  layout: StagingLayout,
  what?: { readonly modelId: ModelId; readonly selector?: string | undefined },
): Promise<readonly Victim[]> {
  const isMeant = ({ modelId }: { readonly modelId: ModelId }): boolean => what === undefined || what.modelId === modelId;
  const unfinished = (await measureUnfinished(layout)).filter(isMeant);
  const copies = (await listCopies(layout)).copies.filter(isMeant);
  const isCopied = new Set<string>(copies.map(({ modelId }) => modelId));
  const beside = new Map<string, number>(unfinished.map(({ modelId, sizeBytes }) => [modelId, sizeBytes]));
  const selector = what?.selector;
  if (selector !== undefined) return copies.flatMap((copy) => findPart(copy, selector, beside));
  return [
    // A removal that is asked for takes also what was used right now.
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
