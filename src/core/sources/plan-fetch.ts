import { isGgufWeights, quantizationOfName } from '../catalog/gguf-files.ts';
import { findClash, type Manifest, type ManifestFile } from '../catalog/manifest.ts';
import { type Pins, selectFiles } from '../catalog/select-files.ts';
import { SkulkError } from '../kernel/errors.ts';
import { quote } from '../kernel/files/relative-path.ts';
import type { Emit } from '../kernel/flow/events.ts';
import type { Listing, Source, SourceFile } from './source.ts';

/** Which files of a listing are to be fetched, and why. */
export interface FetchPlan {
  readonly listing: Listing;
  readonly files: readonly SourceFile[];
  /** Files of the model that is there already and stay, though the source does not have them any more. */
  readonly kept: readonly ManifestFile[];
  /** In bytes. */
  readonly total: number;
}

/** Chooses what to fetch of a listing. A quantization that is there already stays. Pure but for the warnings. */
export function planFetch(
  listing: Listing,
  {
    source,
    pins,
    present,
    exact,
    emit,
  }: {
    readonly source: Pick<Source, 'name'>;
    readonly pins: Pins;
    readonly present: Manifest | undefined;
    /** Whether a pin that is not in the listing is an error. */
    readonly exact: boolean;
    readonly emit: Emit;
  },
): FetchPlan {
  const byPath = new Map(listing.files.map((file) => [file.path as string, file]));
  const selection = selectFiles([...byPath.keys()], pins);
  if (selection.missingPin !== undefined && exact && selection.missingPin !== pins.card)
    throw new SkulkError('FILE_NOT_FOUND', `${listing.modelId} has no ${quote(selection.missingPin)} on ${source.name}`, {
      hint: `it has ${labelsOf([...byPath.keys()]).join(', ')}`,
    });
  if (selection.missingPin !== undefined)
    emit({
      type: 'warning',
      message: `${listing.modelId} has no ${quote(selection.missingPin)} at ${listing.revision}; ${quote(selection.gguf ?? '')} is taken instead`,
    });
  const wanted = new Set(selection.paths);
  const kept: ManifestFile[] = [];
  if (selection.gguf !== undefined) {
    for (const file of present?.files ?? []) {
      if (!isGgufWeights(file.path) || wanted.has(file.path)) continue;
      if (byPath.has(file.path)) wanted.add(file.path);
      else kept.push(file);
    }
  }
  const files = listing.files.filter(({ path }) => wanted.has(path));
  if (files.length === 0)
    throw new SkulkError('MODEL_NOT_FOUND', `${listing.modelId} has no files at ${listing.revision}`, { hint: 'look at its page' });
  const clash = findClash([...files, ...kept].map(({ path }) => path));
  if (clash !== undefined) throw new SkulkError('HUB_REFUSED', `the list of ${listing.modelId} cannot be used: ${clash}`);
  return { listing, files, kept, total: files.reduce((sum, { size }) => sum + size, 0) };
}

/** The quantizations of a repo, to choose from. */
const labelsOf = (paths: readonly string[]): readonly string[] =>
  [...new Set(paths.filter(isGgufWeights).map((path) => quantizationOfName(path) ?? path))].slice(0, 20);
