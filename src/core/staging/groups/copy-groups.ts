import { digestFiles } from '../../catalog/manifest.ts';
import { type FileKind, isSharedKind, type KindFile, kindsOfFiles } from '../../catalog/selection/file-kind.ts';
import { findGroup } from '../../catalog/selection/find-group.ts';
import { fold, listGroups } from '../../catalog/selection/groups.ts';
import { parseLabel } from '../../catalog/selection/label.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { Manifest } from '../../protocol/manifest.ts';

/** The files of one quantization, and its name. */
export interface GroupFiles {
  /** Null for weights that are not GGUF, and for a whole model. */
  readonly selector: string | null;
  /** The paths of its own files. Files shared with other quantizations are in no group. */
  readonly files: readonly string[];
}

/** A quantization of a staged copy. */
export interface CopyGroup extends GroupFiles {
  /** The digest of its own files only, so that another quantization in the copy does not change it. */
  readonly digest: Sha256;
  /** ISO 8601. */
  readonly lastUsed: string;
  /** When it was staged, in ISO 8601; undefined if the record lacks it. */
  readonly stagedAt?: string | undefined;
}

/** Creates the group for some of a copy's files. */
export function makeCopyGroup(
  { files }: Pick<Manifest, 'files'>,
  { selector, files: own, stagedAt }: GroupFiles & Pick<CopyGroup, 'stagedAt'>,
  lastUsed: string,
): CopyGroup {
  const paths = new Set(own);
  const members = files.filter(({ path }) => paths.has(path));
  return { selector, files: members.map(({ path }) => path), digest: digestFiles(members), lastUsed, stagedAt };
}

/** One group with all files, for a copy whose record has no groups. @param stagedAt undefined if the record lacks it */
export function groupAll(manifest: Pick<Manifest, 'files'>, stagedAt: string | undefined): CopyGroup {
  const [first, second] = listGroups(manifest.files);
  const isOne = first !== undefined && second === undefined && ![...kindsOfFiles(manifest.files).values()].some(isOtherWeights);
  const all = manifest.files.map(({ path }) => path);
  const one = isOne ? { selector: first.selector, files: first.files.map(({ path }) => path) } : { selector: null, files: all };
  return makeCopyGroup(manifest, { ...one, stagedAt }, stagedAt ?? new Date(0).toISOString());
}

/** The single quantizations of a copy, even if one group contains several. */
export function splitGroups(manifest: Pick<Manifest, 'files'>, groups: readonly CopyGroup[]): readonly CopyGroup[] {
  return groups.flatMap((group) => {
    if (group.selector !== null) return [group];
    const paths = new Set(group.files);
    const files = manifest.files.filter(({ path }) => paths.has(path));
    const found = listGroups(files);
    if (found.length === 0) return [group];
    const others = withoutShared(files).filter((path) => !found.some((one) => one.files.some((file) => file.path === path)));
    const parts: GroupFiles[] = found.map((one) => ({ selector: one.selector, files: one.files.map(({ path }) => path) }));
    if (others.length > 0) parts.push({ selector: null, files: others });
    return parts.map((part) => makeCopyGroup(manifest, { ...part, stagedAt: group.stagedAt }, group.lastUsed));
  });
}

/** The paths of the files that quantizations do not share: weights of every kind. */
export function withoutShared(files: readonly KindFile[]): readonly string[] {
  const kinds = kindsOfFiles(files);
  return files.map(({ path }) => path).filter((path) => !isSharedKind(kinds.get(path)));
}

/** Adds groups for quantizations that were not requested but came with the others. @param now ISO 8601 */
export function withUnnamed(manifest: Pick<Manifest, 'files'>, groups: readonly CopyGroup[], now: string): readonly CopyGroup[] {
  if (groups.some(({ files }) => files.length === manifest.files.length)) return groups;
  const unnamed = listGroups(manifest.files)
    .map(({ selector, files }) => ({ selector, files: files.map(({ path }) => path as string) }))
    .filter((one) => !groups.some((group) => isSameGroup(one, group)));
  return [...groups, ...unnamed.map((one) => makeCopyGroup(manifest, { ...one, stagedAt: now }, now))];
}

/**
 * Whether a label certainly means another quantization than the group. A group has its path or a marked label (`i1-Q4_K_M`) as its name
 * if its model had other files with the plain label, so the label alone does not select it.
 */
export function isOtherLabel(selector: string, { selector: own }: Pick<GroupFiles, 'selector'>): boolean {
  const label = parseLabel(selector);
  if (label === undefined || own === null || fold(selector) === fold(own)) return false;
  const named = parseLabel(own);
  return named === undefined || (named.mark !== undefined && label.mark === undefined);
}

/** Whether a group may match the selector that the user typed, if any. In doubt it does, so that a lease protects it. */
export function namesGroup(selector: string | undefined, group: GroupFiles): boolean {
  if (selector === undefined || group.selector === null || fold(selector) === fold(group.selector)) return true;
  const listing = group.files.map((path) => ({ path, size: 0 }));
  return findGroup(listing, selector).state !== 'none';
}

/** Whether two groups are the same quantization, at any revision. */
export function isSameGroup(a: GroupFiles, b: GroupFiles): boolean {
  if (a.selector !== null && b.selector !== null && fold(a.selector) === fold(b.selector)) return true;
  const paths = new Set(a.files);
  return b.files.some((path) => paths.has(path));
}

/**
 * The groups of a copy with their last uses.
 * @param lastUsed the last use of the whole copy, which is that of its most recently used group
 */
export function withLastUse(groups: readonly CopyGroup[], lastUsed: Date | undefined): readonly CopyGroup[] {
  if (lastUsed === undefined) return groups;
  const time = lastUsed.toISOString();
  const newest = newestGroup(groups);
  return groups.map((group) => (group === newest && (groups.length === 1 || group.lastUsed < time) ? { ...group, lastUsed: time } : group));
}

/** The most recently used group. */
export const newestGroup = (groups: readonly CopyGroup[]): CopyGroup | undefined =>
  groups.reduce<CopyGroup | undefined>((best, one) => (best === undefined || one.lastUsed > best.lastUsed ? one : best), undefined);

const isOtherWeights = (kind: FileKind): boolean => kind === 'safetensors' || kind === 'pytorch' || kind === 'other-format';
