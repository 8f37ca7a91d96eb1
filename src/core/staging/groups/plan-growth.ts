import { makeManifest } from '../../catalog/manifest.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { Manifest, ManifestFile } from '../../protocol/manifest.ts';
import type { CopyRecord } from '../copy-record.ts';
import { type CopyGroup, type GroupFiles, isSameGroup, makeCopyGroup, splitGroups, withoutShared, withUnnamed } from './copy-groups.ts';

/** What a copy is to hold of a model. */
export interface WantedPart {
  /** Of the files that are to be there: one quantization and what belongs to it. */
  readonly manifest: Manifest;
  readonly group: GroupFiles;
  /** All that the store has of the model; undefined when no store was asked. */
  readonly whole: Manifest | undefined;
  /** It is made again, whatever is here of it. */
  readonly force?: boolean;
}

/** A copy as the plan sees it. */
type Copy = Pick<CopyRecord, 'manifest' | 'groups'> & { readonly changed: ReadonlySet<string> };

/** How a copy gets one more quantization, or another version of one. */
export interface Growth {
  /** The files that have to be made; all others are here. */
  readonly build: Manifest;
  /** What the copy will hold then. */
  readonly manifest: Manifest;
  readonly groups: readonly CopyGroup[];
  /** The digest of the model in the store, when all that the copy will hold is the store's. */
  readonly of: Sha256 | undefined;
  /** Older versions of what is wanted, which go right before it comes. */
  readonly replaced: readonly CopyGroup[];
  /** What stays. */
  readonly kept: readonly CopyGroup[];
}

/** The quantizations of a copy that stay when one comes; weights only, as all else may be shared. */
export function othersThan(group: GroupFiles, { manifest, groups }: Pick<Copy, 'manifest' | 'groups'>): readonly CopyGroup[] {
  const others = splitGroups(manifest, groups).filter((one) => !isSameGroup(one, group));
  if (group.selector === null) return others;
  return others.map((one) => (one.selector === null ? weightsOf(one, manifest) : one)).filter(({ files }) => files.length > 0);
}

function weightsOf(group: CopyGroup, manifest: Manifest): CopyGroup {
  const own = withoutShared(group.files.map((path) => ({ path })));
  return makeCopyGroup(manifest, { selector: null, files: own }, group.lastUsed);
}

/** Whether a copy has all of some files as they are wanted. */
export function holdsAll({ manifest, changed }: Pick<Copy, 'manifest' | 'changed'>, files: readonly ManifestFile[]): boolean {
  const here = new Map(manifest.files.map((file) => [file.path as string, file]));
  return files.every(({ path, sha256 }) => here.get(path)?.sha256 === sha256 && !changed.has(path));
}

/**
 * Decides what has to be made so that a copy gets what is wanted beside what it has. Pure.
 * @param now ISO 8601, the last use of what comes
 * @returns undefined when nothing of the copy stays, so that the whole copy is made anew
 */
export function planGrowth(copy: Copy, wanted: WantedPart, now: string): Growth | undefined {
  const kept = othersThan(wanted.group, copy);
  if (kept.length === 0) return undefined;
  const older = splitGroups(copy.manifest, copy.groups).filter((one) => isSameGroup(one, wanted.group));
  const isOwn = new Set<string>(wanted.group.files);
  const own = wanted.manifest.files.filter(({ path }) => isOwn.has(path));
  const isHere = !wanted.force && holdsAll(copy, own);
  const shared = wanted.manifest.files.filter((file) => !isOwn.has(file.path) && (wanted.force || !holdsAll(copy, [file])));
  const manifest = uniteFiles(copy, wanted, older);
  return {
    build: remake(wanted.manifest, [...(isHere ? [] : own), ...shared]),
    manifest,
    groups: withUnnamed(manifest, [...kept, makeCopyGroup(manifest, wanted.group, now)], now),
    of: wanted.whole !== undefined && isPartOf(manifest, wanted.whole) ? wanted.whole.digest : undefined,
    replaced: isHere ? [] : older,
    kept,
  };
}

/** What is wanted, and what is here but for older versions of that. Of several versions no revision tells. */
function uniteFiles(copy: Copy, { manifest: wanted, whole }: WantedPart, replaced: readonly CopyGroup[]): Manifest {
  const files = new Map(wanted.files.map((file) => [file.path, file]));
  const goes = new Set(replaced.flatMap((one) => weightsOf(one, copy.manifest).files));
  for (const file of copy.manifest.files) if (!files.has(file.path) && !goes.has(file.path)) files.set(file.path, file);
  const united = remake(wanted, [...files.values()]);
  const isOneVersion = whole === undefined ? copy.manifest.commit === wanted.commit : isPartOf(united, whole);
  return isOneVersion ? united : { ...united, revision: null, commit: null };
}

/** Whether all files of a copy are those of the model. */
export function isPartOf({ files }: Manifest, whole: Manifest): boolean {
  const known = new Map(whole.files.map(({ path, sha256 }) => [path, sha256]));
  return files.every(({ path, sha256 }) => known.get(path) === sha256);
}

/** A copy's manifest of other files. */
export const remake = ({ model_id, revision, commit, source, created_at }: Manifest, files: readonly ManifestFile[]): Manifest =>
  makeManifest(model_id, files, { revision, commit, source, createdAt: new Date(created_at || 0) });
