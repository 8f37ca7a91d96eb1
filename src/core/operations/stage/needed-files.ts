import type { Companion } from '../../catalog/companions.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import { findLoadable } from '../../catalog/selection/loadable-files.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { formatRef, type ModelRef } from '../../kernel/model-id.ts';

/** A file of a model whose path is needed. */
export type NeededFile = 'gguf' | 'mmproj' | 'draft';

const words: Readonly<Record<NeededFile, string>> = {
  gguf: 'GGUF file to load',
  mmproj: 'projector (mmproj)',
  draft: 'draft model or MTP head',
};

/** Whether a companion predicts tokens for its model. */
export const isDraft = ({ role }: Pick<Companion, 'role'>): boolean => role === 'mtp' || role === 'assistant';

/**
 * Rejects a model without a needed file, before any of it is transferred.
 * @param companions from its card; undefined while they are unknown
 * @throws SkulkError FILE_NOT_FOUND
 */
export function requireNeeded(
  ref: ModelRef,
  needs: readonly NeededFile[] = [],
  { files, companions }: { readonly files: readonly KindFile[]; readonly companions: readonly Companion[] | undefined },
): void {
  if (needs.length === 0) return;
  const found = findLoadable(files);
  for (const need of needs) {
    if (found[need] !== undefined) continue;
    if (need === 'draft' && (companions === undefined || companions.some(isDraft))) continue;
    throw missingFile(ref, need);
  }
}

/** The error for a model without such a file. */
export const missingFile = (ref: ModelRef, need: NeededFile): SkulkError =>
  new SkulkError('FILE_NOT_FOUND', `${formatRef(ref)} has no ${words[need]}`, {
    hint: `\`skulk show ${ref.modelId}\` lists its files; for its directory use {path} in \`skulk run\` or \`skulk stage --print path\``,
  });
