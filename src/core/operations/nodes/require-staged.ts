import { checkRevision } from '../../catalog/check-revision.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { formatRef, type ModelRef } from '../../kernel/model-id.ts';
import { readCopyRecord } from '../../staging/copy-record.ts';
import { findStagedGroup } from '../../staging/groups/find-staged-group.ts';
import type { StagedCopy, StagedGroup } from '../../staging/list-copies.ts';

/** A copy of this node, and its named quantization. */
export interface NamedCopy {
  readonly copy: StagedCopy;
  /** Undefined for the whole copy. */
  readonly part: StagedGroup | undefined;
}

/**
 * Finds the copy of this node for a reference.
 * @throws SkulkError MODEL_NOT_FOUND with the existing ones, REVISION_NOT_FOUND
 */
export async function requireStaged(copies: readonly StagedCopy[], ref: ModelRef): Promise<NamedCopy> {
  const { modelId, selector, revision } = ref;
  const copy = copies.find((one) => one.modelId === modelId);
  if (copy === undefined)
    throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is not staged on this node`, { hint: '`skulk staging` lists the copies' });
  if (revision !== undefined) {
    const record = await readCopyRecord(copy.directory);
    if (record !== undefined) checkRevision(ref, record.manifest);
  }
  if (selector === undefined) return { copy, part: undefined };
  const part = findStagedGroup(copy.parts, selector);
  if (part !== undefined) return { copy, part };
  const names = copy.parts.flatMap((one) => one.selector ?? []);
  throw new SkulkError('MODEL_NOT_FOUND', `${formatRef({ modelId, selector })} is not staged on this node`, {
    hint: names.length === 0 ? `its copy has no quantizations; omit :${selector}` : `it has ${names.join(', ')}`,
  });
}
