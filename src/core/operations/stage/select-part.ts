import { makeManifest } from '../../catalog/manifest.ts';
import { kindsOfFiles } from '../../catalog/selection/file-kind.ts';
import { findGroup } from '../../catalog/selection/find-group.ts';
import { isBroken, listGroups, type SizedFile } from '../../catalog/selection/groups.ts';
import { selectFiles } from '../../catalog/selection/select-files.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { type GroupFiles, withoutShared } from '../../staging/groups/copy-groups.ts';
import type { NeededFile } from './needed-files.ts';

/** What a reference names of a model: one quantization and what belongs to it. */
export interface SelectedPart {
  /** Of the quantization, the small files and the projector; the whole model's when that has no GGUF weights. */
  readonly manifest: Manifest;
  readonly group: GroupFiles;
  /** What the card names, when the model does not have it and something else was taken. */
  readonly missingPin: string | undefined;
}

/** Whether a model has all of what a selector names; anything has what no selector names. */
export function hasPart({ selector }: ModelRef, { files }: { readonly files: readonly SizedFile[] }): boolean {
  if (selector === undefined) return true;
  const found = findGroup(files, selector);
  // Of several with that name there is one to choose.
  return found.state === 'ambiguous' || (found.state === 'found' && !isBroken(found.group));
}

/**
 * The part of a model that a reference names: what its selector says, else what the card pins, else the best quantization.
 * @param pin the file that the model's card names
 * @param needs what somebody needs a path of: a draft model comes beside a named quantization only then
 * @throws SkulkError FILE_NOT_FOUND when the model has nothing of that name, several of it, or only a part of its shards
 */
export function selectPart(ref: ModelRef, manifest: Manifest, pin?: string, needs: readonly NeededFile[] = []): SelectedPart {
  const { files, ...part } = choosePart(ref, manifest.files, pin, needs);
  if (files === manifest.files) return { manifest, ...part };
  const { model_id, revision, commit, source, created_at } = manifest;
  return { manifest: makeManifest(model_id, files, { revision, commit, source, createdAt: new Date(created_at || 0) }), ...part };
}

/** The same of files of which not more is known than their paths. The size counts only where a file is chosen by it. */
export function choosePart<F extends SizedFile>(
  { modelId, selector }: ModelRef,
  all: readonly F[],
  pin?: string,
  needs: readonly NeededFile[] = [],
): Omit<SelectedPart, 'manifest'> & { readonly files: readonly F[] } {
  const isWhole = selector === undefined && listGroups(all).length === 0;
  if (isWhole) return { files: all, group: { selector: null, files: all.map(({ path }) => path) }, missingPin: undefined };
  const { taken, group, problem, warnings } = selectFiles(all, { modelId, selector, pin: selector === undefined ? pin : undefined });
  if (problem !== undefined) throw selectionError(problem, { modelId, where: 'in the store' });
  const isTaken = new Set(taken.map(({ file }) => file));
  const kinds = kindsOfFiles(all);
  // What predicts tokens for the model comes with it, unless somebody names what is to come.
  const files = all.filter(
    (file) => isTaken.has(file) || ((selector === undefined || needs.includes('draft')) && kinds.get(file.path) === 'draft'),
  );
  return {
    files,
    group:
      group === undefined
        ? { selector: null, files: withoutShared(files) }
        : { selector: group.selector, files: group.files.map(({ path }) => path) },
    missingPin: warnings[0]?.pin,
  };
}
