import type { FileKind } from './file-kind.ts';

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
const topFolder = (path: string): string => (path.includes('/') ? (path.split('/', 1)[0] ?? '') : '').toLowerCase();
const isConsolidated = (path: string): boolean => /(?:^|\/)consolidated[^/]*$/i.test(path);
const isMainPytorch = (path: string): boolean => /(?:^|\/)(?:pytorch_)?model[^/]*\.bin$/i.test(path);
/** Not an adapter or a part. */
const isWholeModel = (path: string): boolean => /(?:^|\/)(?:pytorch_)?model[^/]*\.(?:safetensors|bin)$/i.test(path);

/** Folders at the top of a repo with the same weights for another framework, or in the original training format. */
const copies: ReadonlySet<string> = new Set(['original', 'metal', 'onnx', 'openvino', 'coreml', 'tf', 'flax', 'rust', 'tflite']);

/**
 * Finds files with weights that the repo also has in a better format (safetensors first, then PyTorch's .bin), and their indexes. A repo
 * with a single format has no duplicates. Source: docs/hub.md, "Which files of a repo".
 * @param kinds of every file of the listing
 * @returns why a file is a duplicate, as the words after "the same weights"; undefined if it is not one
 */
export function findDuplicates(kinds: ReadonlyMap<string, FileKind>): (path: string) => string | undefined {
  const main = { safetensors: new Set<string>(), pytorch: new Set<string>(), whole: new Set<string>() };
  for (const [path, kind] of kinds) {
    if (copies.has(topFolder(path)) || isConsolidated(path)) continue;
    if (kind === 'safetensors') main.safetensors.add(folderOf(path));
    if (kind === 'pytorch' && isMainPytorch(path)) main.pytorch.add(folderOf(path));
    if (isWholeModel(path)) main.whole.add(folderOf(path));
  }
  const best = main.safetensors.size > 0 ? 'safetensors' : main.pytorch.size > 0 ? 'pytorch' : undefined;
  if (best === undefined) return () => undefined;
  const name = best === 'pytorch' ? '.bin' : best;
  // A repo of several models has such a folder in each.
  const isBesideWeights = (path: string): boolean => {
    const [, parent, folder = ''] = /^(.*\/)([^/]+)\/[^/]*$/.exec(path) ?? [];
    return parent !== undefined && copies.has(folder.toLowerCase()) && main[best].has(parent);
  };
  const why = (path: string, kind: FileKind | undefined): string | undefined => {
    if (copies.has(topFolder(path)) || isBesideWeights(path)) return `in another format than the ${name} files`;
    if (kind === 'other-format') return `for another framework; the ${name} files are downloaded`;
    if (kind === 'pytorch' && main.safetensors.has(folderOf(path))) return 'as safetensors are available';
    if ((kind === 'safetensors' || kind === 'pytorch') && isConsolidated(path) && main.whole.has(folderOf(path)))
      return 'in one file; the shards are downloaded';
    return undefined;
  };
  return (path) => {
    const kind = kinds.get(path);
    if (kind !== 'weights-index') return why(path, kind);
    const weights = path.replace(/\.index\.json$/i, '');
    return why(weights, kindOfIndexed(weights));
  };
}

/** The kind of an index's weights, which are split and therefore do not exist under that name. */
function kindOfIndexed(path: string): FileKind {
  if (/\.safetensors$/i.test(path)) return 'safetensors';
  return /\.(?:bin|pt|pth)$/i.test(path) ? 'pytorch' : 'other-format';
}
