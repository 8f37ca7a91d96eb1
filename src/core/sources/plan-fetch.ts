import { withKnownKinds } from '../catalog/held-files.ts';
import { findClash } from '../catalog/manifest.ts';
import { type FileKind, kindsOf } from '../catalog/selection/file-kind.ts';
import { type Group, isBroken, listGroups } from '../catalog/selection/groups.ts';
import type { Warning } from '../catalog/selection/problems.ts';
import { type Selection, type SelectionRequest, selectFiles } from '../catalog/selection/select-files.ts';
import { selectionError } from '../catalog/selection/selection-error.ts';
import { SkulkError } from '../kernel/errors.ts';
import { quote } from '../kernel/files/relative-path.ts';
import type { Manifest, ManifestFile } from '../protocol/manifest.ts';
import { joinPieces, type PlannedFile } from './joined-file.ts';
import type { Listing, Source, SourceFile } from './source.ts';

/** Which files of a listing to fetch, and why. */
export interface FetchPlan {
  readonly listing: Listing;
  readonly files: readonly PlannedFile[];
  /** Files of the existing model that stay, although the source no longer has them. */
  readonly kept: readonly ManifestFile[];
  /** In bytes. */
  readonly total: number;
  /** The file that a program loads from the selected quantization; undefined if none was selected. */
  readonly ggufFile: string | undefined;
  /** Sentences for the user. */
  readonly warnings: readonly string[];
}

/**
 * Selects the files of a listing to fetch. An existing quantization stays. Pure.
 * @throws SkulkError FILE_NOT_FOUND, USAGE for an impossible request; MODEL_NOT_FOUND, HUB_REFUSED for a useless listing
 */
export function planFetch(
  listing: Listing,
  {
    source,
    request,
    present,
    completes = false,
  }: {
    readonly source: Pick<Source, 'name'>;
    readonly request: Omit<SelectionRequest, 'modelId'>;
    readonly present: Manifest | undefined;
    /** Whether nothing specific is requested: then the existing quantizations are completed. */
    readonly completes?: boolean;
  },
): FetchPlan {
  const { modelId } = listing;
  const known = withKnownKinds(listing.files, present?.files ?? []);
  const held = completes ? heldGroups(known, present) : [];
  const [first] = held;
  const choice = first === undefined ? request : { ...request, selector: first.files[0]?.path, pin: undefined };
  const selection = selectFiles(known, { ...choice, modelId });
  if (selection.problem !== undefined) throw selectionError(selection.problem, { modelId, where: `on ${source.name}` });
  const listed = new Set<string>(listing.files.map(({ path }) => path));
  const wanted = new Set<string>(selection.taken.map(({ file }) => file.path));
  for (const { files } of held) for (const { path } of files) wanted.add(path);
  // Earlier files are updated to this commit together with the rest.
  for (const { path } of present?.files ?? []) if (listed.has(path)) wanted.add(path);
  const joined = request.whole === true ? [] : joinedFiles(selection, wanted);
  const pieces = new Set<string>(joined.flatMap((file) => (file.pieces ?? []).map(({ path }) => path)));
  const replaced = new Set<string>([...listed, ...joined.map(({ path }) => path)]);
  const kept = present === undefined ? [] : filesToKeep(present, replaced, selection);
  const files = [...listing.files.filter(({ path }) => wanted.has(path) && !pieces.has(path)), ...joined];
  if (files.length === 0)
    throw new SkulkError('MODEL_NOT_FOUND', `${modelId} has no files at ${listing.revision}`, { hint: 'check the page of the model' });
  const clash = findClash([...files, ...kept].map(({ path }) => path));
  if (clash !== undefined) throw new SkulkError('HUB_REFUSED', `the list of ${modelId} cannot be used: ${clash}`);
  return {
    listing,
    files,
    kept,
    total: files.reduce((sum, { size }) => sum + size, 0),
    ggufFile: selection.group?.ggufFile,
    warnings: selection.warnings.map((warning) => describeWarning(listing, warning)),
  };
}

/** The quantizations of a listing of which some files exist. */
function heldGroups(listed: readonly SourceFile[], present: Manifest | undefined): readonly Group<SourceFile>[] {
  const here = new Set<string>(present?.files.map(({ path }) => path));
  return listGroups(listed).filter(
    (group) => !isBroken(group) && (here.has(group.ggufFile) || group.files.some(({ path }) => here.has(path))),
  );
}

/** The joined files that programs can load, for quantizations that were cut by bytes. */
const joinedFiles = ({ groups }: Selection<SourceFile>, wanted: ReadonlySet<string>): readonly PlannedFile[] =>
  groups
    .filter(({ cut, files }) => cut === 'bytes' && files.every(({ path }) => wanted.has(path)))
    .map(({ ggufFile, files }) => joinPieces(ggufFile, files));

/** Kinds with several files per repo, so that a new one does not replace an old one. */
const severalOf: ReadonlySet<FileKind> = new Set(['gguf', 'draft', 'adapter', 'vocabulary']);
const otherWeights: ReadonlySet<FileKind> = new Set(['safetensors', 'pytorch', 'other-format', 'weights-index']);

/** Existing weights that the source no longer has: quantizations, and weights of a format that is not being replaced. */
function filesToKeep(
  { files }: Manifest,
  listed: ReadonlySet<string>,
  { taken }: Pick<Selection<SourceFile>, 'taken'>,
): readonly ManifestFile[] {
  const kinds = kindsOf(files.map(({ path }) => path));
  const isReplaced = taken.some(({ why }) => why.code === 'weights');
  return files.filter(({ path }) => {
    const kind = kinds.get(path) ?? 'plain';
    return !listed.has(path) && (severalOf.has(kind) || (!isReplaced && otherWeights.has(kind)));
  });
}

function describeWarning({ modelId, revision }: Listing, { pin, taken }: Warning): string {
  const instead = taken === undefined ? 'using its other weights' : `using ${quote(taken)}`;
  return `${modelId} has no ${quote(pin)} at ${revision}, which its model card names; ${instead} instead`;
}
