import type { ModelProblem } from '../../protocol/models/entries.ts';
import { type FileKind, kindsOfFiles } from '../selection/file-kind.ts';
import { listGroups, type SizedFile, withoutCopies } from '../selection/groups.ts';
import type { ContentProblem } from './problems-of-list.ts';

/** The formats of weights without quantizations. A program reads the first of them that a model has. */
const formats = ['safetensors', 'pytorch', 'other-format'] as const satisfies readonly FileKind[];
/** Its folders are parts of one model. */
const indexOfParts = 'model_index.json';
/** The small files without which no program can load weights of those formats. */
const needed: ReadonlySet<string> = new Set(['config.json', 'tokenizer.json', indexOfParts]);
/** The names of weights that programs look for first. */
const usualNames: ReadonlySet<string> = new Set(['model', 'pytorch_model', 'diffusion_pytorch_model']);
const indexEnding = /\.index\.json$/i;
const maxProblems = 20;
const maxReasonLength = 500;

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Whether a problem of this file could prevent a program from loading the model. Pure. */
export const mayPreventLoading = (path: string, kind: FileKind | undefined): boolean =>
  (kind !== undefined && kind !== 'plain' && kind !== 'litter') || needed.has(path);

/**
 * The problems because of which no program can load a model, or some of its quantizations. Others are left out: those of files that a
 * program does not need, or for which the model has other weights. In doubt, a problem is left out. Pure.
 * @param files all files of the model
 */
export function findUnloadable(files: readonly SizedFile[], problems: readonly ContentProblem[]): readonly ModelProblem[] {
  const certain = problems.filter(({ kind }) => kind === 'incomplete');
  if (certain.length === 0) return [];
  const kinds = kindsOfFiles(files);
  const byPath = new Map(certain.map((one) => [one.path, one]));
  const groups = withoutCopies(listGroups(files, kinds));
  const format = formats.find((one) => files.some(({ path }) => formatOf(path, kinds.get(path)) === one));
  const found =
    groups.length > 0
      ? ofGroups(groups, byPath, { isOnly: groups.length === 1 && format === undefined })
      : format === undefined
        ? []
        : [...certain.filter(({ path }) => needed.has(path)).map(toProblem(null)), ...ofFormat(format, { files, kinds, byPath })];
  return found.slice(0, maxProblems);
}

const toProblem =
  (selector: string | null) =>
  ({ path, reason }: ContentProblem): ModelProblem => ({ path, reason: reason.slice(0, maxReasonLength), selector });

function ofGroups(
  groups: ReturnType<typeof listGroups>,
  byPath: ReadonlyMap<string, ContentProblem>,
  { isOnly }: { readonly isOnly: boolean },
): readonly ModelProblem[] {
  return groups.flatMap(({ selector, files }) =>
    files.flatMap(({ path }) => byPath.get(path) ?? []).map(toProblem(isOnly ? null : selector)),
  );
}

/** The format of a file of weights, or of an index of their shards. */
function formatOf(path: string, kind: FileKind | undefined): (typeof formats)[number] | undefined {
  if (kind !== 'weights-index') return formats.find((one) => one === kind);
  if (/\.safetensors\.index\.json$/i.test(path)) return 'safetensors';
  return /\.(?:bin|pt|pth)\.index\.json$/i.test(path) ? 'pytorch' : undefined;
}

/** The name of the weights that a file belongs to: shards and their index have one name. */
const weightsName = (path: string): string =>
  nameOf(path)
    .replace(indexEnding, '')
    .replace(/\.[^.]+$/, '')
    .replace(/-\d{5}-of-\d{5}$/, '');

/** The problems of weights in one format, if they leave nothing to load. */
function ofFormat(
  format: (typeof formats)[number],
  {
    files,
    kinds,
    byPath,
  }: {
    readonly files: readonly SizedFile[];
    readonly kinds: ReadonlyMap<string, FileKind>;
    readonly byPath: ReadonlyMap<string, ContentProblem>;
  },
): readonly ModelProblem[] {
  const weights = files.filter(({ path }) => formatOf(path, kinds.get(path)) === format);
  const folders = Map.groupBy(weights, ({ path }) => folderOf(path));
  const ofFolders = [...folders].map(([folder, own]) => ({ folder, problems: ofFolder(own, byPath) }));
  const top = ofFolders.find(({ folder }) => folder === '');
  const isBad = ({ problems }: (typeof ofFolders)[number]): boolean => problems.length > 0;
  const isOneModel = files.some(({ path }) => path === indexOfParts);
  // Weights at the top are the model. Otherwise, folders are parts of one model, or a choice of several.
  if (top !== undefined) return top.problems;
  return isOneModel || ofFolders.every(isBad) ? ofFolders.flatMap(({ problems }) => problems) : [];
}

/** The problems of a folder's weights: of those with a usual name, or of all if none of them is intact. */
function ofFolder(files: readonly SizedFile[], byPath: ReadonlyMap<string, ContentProblem>): readonly ModelProblem[] {
  const named = [...Map.groupBy(files, ({ path }) => weightsName(path))].map(([name, own]) => ({
    name,
    problems: own.flatMap(({ path }) => byPath.get(path) ?? []).map(toProblem(null)),
  }));
  const usual = named.find(({ name, problems }) => usualNames.has(name) && problems.length > 0);
  if (usual !== undefined) return usual.problems;
  return named.every(({ problems }) => problems.length > 0) ? named.flatMap(({ problems }) => problems) : [];
}
