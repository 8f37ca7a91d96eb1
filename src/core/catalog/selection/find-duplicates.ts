import type { FileKind } from './file-kind.ts';
import type { SizedFile } from './groups.ts';

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
 * @param listing the files that may be taken, with their sizes
 * @returns why a file is a duplicate, as the words after "the same weights"; undefined if it is not one
 */
export function findDuplicates(kinds: ReadonlyMap<string, FileKind>, listing: readonly SizedFile[]): (path: string) => string | undefined {
  const main = { safetensors: new Set<string>(), pytorch: new Set<string>(), whole: new Set<string>() };
  for (const [path, kind] of kinds) {
    if (copies.has(topFolder(path)) || isConsolidated(path)) continue;
    if (kind === 'safetensors') main.safetensors.add(folderOf(path));
    if (kind === 'pytorch' && isMainPytorch(path)) main.pytorch.add(folderOf(path));
    if (isWholeModel(path)) main.whole.add(folderOf(path));
  }
  const best = main.safetensors.size > 0 ? 'safetensors' : main.pytorch.size > 0 ? 'pytorch' : undefined;
  if (best === undefined) return () => undefined;
  const joined = findJoined(listing);
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
    if (kind !== 'weights-index') return why(path, kind) ?? (joined.has(path) ? 'in one file; the shards are downloaded' : undefined);
    const weights = path.replace(/\.index\.json$/i, '');
    return why(weights, kindOfIndexed(weights));
  };
}

/** The kind of an index's weights, which are split and therefore do not exist under that name. */
function kindOfIndexed(path: string): FileKind {
  if (/\.safetensors$/i.test(path)) return 'safetensors';
  return /\.(?:bin|pt|pth)$/i.test(path) ? 'pytorch' : 'other-format';
}

const shardName = /^(.*)-(\d{5})-of-(\d{5})(\.(?:safetensors|bin))$/i;
/** The header of one shard, at most in bytes: shards repeat the metadata and the padding of the whole file. */
const headerBytes = 1024;

/**
 * Whole files whose shards are beside them: every shard and the index are there, and together they are as large. A program needs only one
 * of them. A size that differs means other weights, e.g. with more bits, so both are taken.
 */
function findJoined(listing: readonly SizedFile[]): ReadonlySet<string> {
  const sizes = new Map(listing.map(({ path, size }) => [path, size]));
  const shards = new Map<string, { readonly whole: string; readonly count: number; readonly numbers: Set<number>; bytes: number }>();
  for (const { path, size } of listing) {
    const [, base = '', number = '', count = '', ending = ''] = shardName.exec(path) ?? [];
    if (number === '') continue;
    const whole = `${base}${ending}`;
    const key = `${count} ${whole}`;
    const known = shards.get(key) ?? { whole, count: Number(count), numbers: new Set(), bytes: 0 };
    known.numbers.add(Number(number));
    known.bytes += size;
    shards.set(key, known);
  }
  const joined = new Set<string>();
  for (const { whole, count, numbers, bytes } of shards.values()) {
    const size = sizes.get(whole) ?? 0;
    const isComplete =
      numbers.size === count && (numbers.has(0) ? !numbers.has(count) : numbers.has(count)) && sizes.has(`${whole}.index.json`);
    if (size > 0 && isComplete && Math.abs(size - bytes) <= size / 1000 + count * headerBytes) joined.add(whole);
  }
  return joined;
}
