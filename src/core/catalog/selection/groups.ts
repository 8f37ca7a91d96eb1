import { type FileKind, type KindFile, kindsOfFiles } from './file-kind.ts';
import { type Label, labelOfPath } from './label.ts';
import { unknownRank } from './rank-label.ts';
import { type Cut, type SplitName, splitName } from './split-name.ts';

/** A file of a listing: from the Hub, a manifest, or a directory. */
export interface SizedFile extends KindFile {
  /** Repo-relative, with `/` between its parts. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/**
 * One quantization: all files of its weights. A group is taken, staged and removed as a whole. Shared files (config, tokenizer,
 * projector) are in no group.
 */
export interface Group<F extends SizedFile = SizedFile> {
  /** Its name in `model:SELECTOR`, which is unique in a listing: a label, else a folder, else the path of its first file. */
  readonly selector: string;
  /** The label in its name; undefined if there is none. */
  readonly label: Label | undefined;
  /** The file that a program loads: the path of the first shard, or of the file joined from plain pieces. */
  readonly ggufFile: string;
  /** In order. */
  readonly files: readonly F[];
  /** The size of all its files. */
  readonly sizeBytes: number;
  readonly cut: Cut;
  /** The paths of the first missing files, whose existence follows from others. */
  readonly missing: readonly string[];
  /** The number of missing files. */
  readonly missingCount: number;
}

const maxMissingNames = 5;

/** The quantizations of a listing, best choice first; empty without GGUF weights. */
export function listGroups<F extends SizedFile>(
  listing: readonly F[],
  kinds: ReadonlyMap<string, FileKind> = kindsOfFiles(listing),
): readonly Group<F>[] {
  return groupFiles(listing.filter(({ path }) => kinds.get(path) === 'gguf'));
}

/**
 * The GGUF file that a program loads, for files without sizes: the first shard of the best quantization. Complete ones have priority.
 * Plain pieces cannot be loaded.
 */
export function loadableGguf(files: readonly KindFile[]): string | undefined {
  return pickLoadable(listGroups(files.map((file) => ({ ...file, size: 0 }))))?.ggufFile;
}

/** The first of some sorted groups that a program can load. An incomplete one is only used if there is no other. */
export function pickLoadable<F extends SizedFile>(groups: readonly Group<F>[]): Group<F> | undefined {
  const loadable = groups.filter(isLoadable);
  return loadable.find((group) => !isBroken(group)) ?? loadable[0];
}

/** Whether a program can load a group if it is complete; plain pieces cannot be loaded. */
export const isLoadable = ({ cut }: Pick<Group, 'cut'>): boolean => cut === 'none' || cut === 'shards';

/**
 * Puts the files of GGUF weights into groups, best choice first; groups of the same rank by path. Linear in the number of files except
 * for the sort.
 */
export function groupFiles<F extends SizedFile>(files: Iterable<F>): readonly Group<F>[] {
  const members = new Map<string, { readonly file: F; readonly place: SplitName }[]>();
  for (const file of files) {
    const place = splitName(file.path);
    if (place === undefined) continue;
    const known = members.get(place.key);
    if (known === undefined) members.set(place.key, [{ file, place }]);
    else known.push({ file, place });
  }
  const groups = [...members.values()].map(makeGroup);
  return nameGroups(groups).toSorted((a, b) => compareGroups(a, b));
}

/** The better choice first: by label, then complete before incomplete, then by path. */
const compareGroups = (a: Group, b: Group): number =>
  rankOf(a) - rankOf(b) ||
  Number(isBroken(a)) - Number(isBroken(b)) ||
  comparePaths(a.ggufFile, b.ggufFile) ||
  cuts.indexOf(a.cut) - cuts.indexOf(b.cut) ||
  comparePaths(a.files[0]?.path ?? '', b.files[0]?.path ?? '');

const cuts: readonly Cut[] = ['none', 'shards', 'bytes', 'unknown'];
const rankOf = ({ label }: Group): number => label?.rank ?? unknownRank;
const comparePaths = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Whether a group cannot be loaded as listed. */
export const isBroken = ({ cut, missingCount }: Pick<Group, 'cut' | 'missingCount'>): boolean => cut === 'unknown' || missingCount > 0;

function makeGroup<F extends SizedFile>(members: { readonly file: F; readonly place: SplitName }[]): Group<F> {
  const sorted = members.toSorted((a, b) => a.place.index - b.place.index || comparePaths(a.file.path, b.file.path));
  const [{ file: first, place }] = sorted as [(typeof sorted)[number]];
  const files = sorted.map(({ file }) => file);
  return {
    selector: first.path,
    label: labelOfPath(place.whole),
    ggufFile: place.cut === 'bytes' ? place.whole : first.path,
    files,
    sizeBytes: files.reduce((sum, { size }) => sum + size, 0),
    cut: place.cut,
    ...findMissing(
      place,
      sorted.map((one) => one.place.index),
    ),
  };
}

/** If names do not contain the count, a single piece cannot be complete, and there must be no gap before the last. */
function findMissing({ cut, count, nameAt }: SplitName, indexes: readonly number[]): { missing: readonly string[]; missingCount: number } {
  if (cut === 'none' || cut === 'unknown') return { missing: [], missingCount: 0 };
  const present = new Set(indexes);
  // Some count from 0.
  const from = count === undefined || present.has(0) ? 0 : 1;
  const end = from + (count ?? Math.max((indexes.at(-1) ?? 0) + 1, 2));
  const missing: string[] = [];
  // A name may claim 99,999 shards.
  for (let index = from; index < end && missing.length < maxMissingNames; index += 1) if (!present.has(index)) missing.push(nameAt(index));
  const inRange = [...present].filter((index) => index >= from && index < end).length;
  return { missing, missingCount: end - from - inRange };
}

/** Names each group by the first of its spellings that is unique. */
function nameGroups<F extends SizedFile>(groups: readonly Group<F>[]): readonly Group<F>[] {
  const unmarked = new Set(groups.flatMap(({ label }) => (label !== undefined && label.mark === undefined ? [label.text] : [])));
  const namesOf = (group: Group<F>): readonly string[] => spellingsOf(group, unmarked);
  const isNamed = new Set(withoutCopies(groups));
  const uses = new Map<string, number>();
  for (const group of isNamed) for (const name of namesOf(group)) uses.set(fold(name), (uses.get(fold(name)) ?? 0) + 1);
  const nameOf = (group: Group<F>): string | undefined =>
    isNamed.has(group) ? namesOf(group).find((name) => uses.get(fold(name)) === 1) : undefined;
  return groups.map((group) => ({ ...group, selector: nameOf(group) ?? group.selector }));
}

/** Removes pieces of a file that the listing also has as a whole; only a path selects those. */
export function withoutCopies<F extends SizedFile>(groups: readonly Group<F>[]): readonly Group<F>[] {
  const whole = new Set(groups.filter(({ cut }) => cut === 'none').map(({ ggufFile }) => ggufFile));
  return groups.filter(({ cut, ggufFile }) => cut !== 'bytes' || !whole.has(ggufFile));
}

/** Whether a text after the colon of a reference is valid without being a path. */
const isPlainSelector = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text);

export const fold = (name: string): string => name.toLowerCase();

/**
 * The names of a group beside its path, shortest first: its label, or the folder if no name has a label.
 * @param unmarked the labels of groups without a mark, which must not name a group with a mark
 */
function spellingsOf({ label, ggufFile }: Group, unmarked: ReadonlySet<string>): readonly string[] {
  if (label?.mark !== undefined) return [...(unmarked.has(label.text) ? [] : [label.text]), `${label.mark}-${label.text}`];
  if (label !== undefined) return [label.text];
  const folder = ggufFile.split('/').at(-2) ?? '';
  return isPlainSelector(folder) ? [folder] : [];
}
