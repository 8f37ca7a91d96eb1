import { isGgufWeights, quantizationOfName } from '../../catalog/gguf-files.ts';
import { type Manifest, makeManifest } from '../../catalog/manifest.ts';
import { findPinned, selectFiles } from '../../catalog/select-files.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { LocalCopy } from '../../staging/local-copy.ts';

/** Whether a model has what a selector names; anything has what no selector names. */
export const hasPart = ({ selector }: ModelRef, { files }: Pick<Manifest, 'files'>): boolean =>
  selector === undefined || findPinned(files.map(({ path }) => path as string).filter(isGgufWeights), selector) !== undefined;

/** Whether a copy, which may hold a part of a model only, has what a reference names. */
export const coversPart = (ref: ModelRef, { manifest, part }: LocalCopy): boolean =>
  ref.selector === undefined ? part === undefined : hasPart(ref, manifest);

/**
 * The part of a model that a selector names, as a manifest of its own: the weights with their shards, config and projectors.
 * The whole when there is no selector.
 * @throws SkulkError FILE_NOT_FOUND when the model has nothing of that name
 */
export function selectPart(ref: ModelRef, manifest: Manifest): Manifest {
  const { selector } = ref;
  if (selector === undefined) return manifest;
  if (!hasPart(ref, manifest)) throw noSuchPart(ref, manifest);
  const paths = new Set(
    selectFiles(
      manifest.files.map(({ path }) => path),
      { selector },
    ).paths,
  );
  const { model_id, revision, commit, source, created_at } = manifest;
  const files = manifest.files.filter(({ path }) => paths.has(path));
  return makeManifest(model_id, files, { revision, commit, source, createdAt: new Date(created_at || 0) });
}

function noSuchPart({ modelId, selector }: ModelRef, { files }: Manifest): SkulkError {
  const weights = files.map(({ path }) => path).filter(isGgufWeights);
  const labels = [...new Set(weights.map((path) => quantizationOfName(path) ?? path))];
  return new SkulkError('FILE_NOT_FOUND', `${modelId} has no ${selector}`, {
    hint:
      labels.length === 0 ? `it has no GGUF weights to choose from: skulk stage ${modelId}` : `it has ${labels.slice(0, 20).join(', ')}`,
  });
}
