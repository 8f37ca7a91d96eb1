import { makeManifest } from '../../catalog/manifest.ts';
import { findGroup } from '../../catalog/selection/find-group.ts';
import { isBroken } from '../../catalog/selection/groups.ts';
import { selectFiles } from '../../catalog/selection/select-files.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { LocalCopy } from '../../staging/local-copy.ts';

/** Whether a model has all of what a selector names; anything has what no selector names. */
export function hasPart({ selector }: ModelRef, { files }: Pick<Manifest, 'files'>): boolean {
  if (selector === undefined) return true;
  const found = findGroup(files, selector);
  // Of several with that name there is one to choose.
  return found.state === 'ambiguous' || (found.state === 'found' && !isBroken(found.group));
}

/** Whether a copy, which may hold a part of a model only, has what a reference names. */
export const coversPart = (ref: ModelRef, { manifest, part }: LocalCopy): boolean =>
  ref.selector === undefined ? part === undefined : hasPart(ref, manifest);

/**
 * The part of a model that a selector names, as a manifest of its own: its quantization, the small files and the projector.
 * The whole when there is no selector.
 * @throws SkulkError FILE_NOT_FOUND when the model has nothing of that name, several of it, or only a part of its shards
 */
export function selectPart({ modelId, selector }: ModelRef, manifest: Manifest): Manifest {
  if (selector === undefined) return manifest;
  const { taken, problem } = selectFiles(manifest.files, { modelId, selector });
  if (problem !== undefined) throw selectionError(problem, { modelId, where: 'in the store' });
  const { model_id, revision, commit, source, created_at } = manifest;
  const files = taken.map(({ file }) => file);
  return makeManifest(model_id, files, { revision, commit, source, createdAt: new Date(created_at || 0) });
}
