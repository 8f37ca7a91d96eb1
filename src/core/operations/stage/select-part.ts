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

/** The part of a model for a reference: one quantization and the files it needs. */
export interface SelectedPart {
  /** The quantization, the small files and the projector; the whole model if it has no GGUF weights. */
  readonly manifest: Manifest;
  readonly group: GroupFiles;
  /** The file in the card, if the model does not have it and another one was selected. */
  readonly missingPin: string | undefined;
}

/** Whether a model has all files of a selector. Without a selector, every model does. */
export function hasPart({ selector }: ModelRef, { files }: { readonly files: readonly SizedFile[] }): boolean {
  if (selector === undefined) return true;
  const found = findGroup(files, selector);
  // If several match, the user must choose one.
  return found.state === 'ambiguous' || (found.state === 'found' && !isBroken(found.group));
}

/**
 * Selects the part of a model for a reference: by its selector, else by the card's pin, else the best quantization.
 * @param pin the file that the model's card names
 * @param needs the files whose paths are needed; a draft model is only added to a named quantization if it is needed
 * @throws SkulkError FILE_NOT_FOUND if no file or several files match, or shards are missing
 */
export function selectPart(ref: ModelRef, manifest: Manifest, pin?: string, needs: readonly NeededFile[] = []): SelectedPart {
  const { files, ...part } = choosePart(ref, manifest.files, pin, needs);
  if (files === manifest.files) return { manifest, ...part };
  const { model_id, revision, commit, source, created_at } = manifest;
  return { manifest: makeManifest(model_id, files, { revision, commit, source, createdAt: new Date(created_at || 0) }), ...part };
}

/** The same for files of which only the paths are known. The size only matters if a file is selected by it. */
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
  // A draft model is included, unless the user selects the files.
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
