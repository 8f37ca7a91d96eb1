import { makeManifest } from '../../catalog/manifest.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { Manifest, ManifestFile } from '../../protocol/manifest.ts';
import type { CopyRecord } from '../copy-record.ts';
import { type CopyGroup, type GroupFiles, isSameGroup, makeCopyGroup, splitGroups, withoutShared, withUnnamed } from './copy-groups.ts';

/** The part of a model that a copy must contain. */
export interface WantedPart {
  /** The manifest of the wanted files: one quantization and the files it needs. */
  readonly manifest: Manifest;
  readonly group: GroupFiles;
  /** The store's manifest of the whole model; undefined if no store was asked. */
  readonly whole: Manifest | undefined;
  /** Build it again, even if the copy has it. */
  readonly force?: boolean;
}

/** The input of the plan about an existing copy. */
type Copy = Pick<CopyRecord, 'manifest' | 'groups'> & { readonly changed: ReadonlySet<string> };

/** The plan to add a quantization to a copy, or to replace one with another version. */
export interface Growth {
  /** The files to build. All others are already here. */
  readonly build: Manifest;
  /** The manifest of the copy after the change. */
  readonly manifest: Manifest;
  readonly groups: readonly CopyGroup[];
  /** The digest of the model in the store, if all of the copy will match the store. */
  readonly of: Sha256 | undefined;
  /** Older versions of the wanted quantization, which are removed right before it is added. */
  readonly replaced: readonly CopyGroup[];
  /** The groups that stay. */
  readonly kept: readonly CopyGroup[];
}

/** The quantizations of a copy that stay when one is added. Only weights count, because other files may be shared. */
export function othersThan(group: GroupFiles, { manifest, groups }: Pick<Copy, 'manifest' | 'groups'>): readonly CopyGroup[] {
  const others = splitGroups(manifest, groups).filter((one) => !isSameGroup(one, group));
  if (group.selector === null) return others;
  return others.map((one) => (one.selector === null ? weightsOf(one, manifest) : one)).filter(({ files }) => files.length > 0);
}

function weightsOf(group: CopyGroup, manifest: Manifest): CopyGroup {
  const own = withoutShared(group.files.map((path) => ({ path })));
  return makeCopyGroup(manifest, { selector: null, files: own, stagedAt: group.stagedAt }, group.lastUsed);
}

/** Whether a copy has all wanted files, unchanged. */
export function holdsAll({ manifest, changed }: Pick<Copy, 'manifest' | 'changed'>, files: readonly ManifestFile[]): boolean {
  const here = new Map(manifest.files.map((file) => [file.path as string, file]));
  return files.every(({ path, sha256 }) => here.get(path)?.sha256 === sha256 && !changed.has(path));
}

/**
 * Decides which files to build so that a copy has the wanted part in addition to its own. Pure.
 * @param now ISO 8601, when the new quantization is staged and last used
 * @returns undefined if nothing of the copy stays, so that the whole copy must be built again
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
    groups: withUnnamed(manifest, [...kept, makeCopyGroup(manifest, { ...wanted.group, stagedAt: now }, now)], now),
    of: wanted.whole !== undefined && isPartOf(manifest, wanted.whole) ? wanted.whole.digest : undefined,
    replaced: isHere ? [] : older,
    kept,
  };
}

/** The wanted files, and the existing ones except older versions of those. A mix of versions has no revision. */
function uniteFiles(copy: Copy, { manifest: wanted, whole }: WantedPart, replaced: readonly CopyGroup[]): Manifest {
  const files = new Map(wanted.files.map((file) => [file.path, file]));
  const goes = new Set(replaced.flatMap((one) => weightsOf(one, copy.manifest).files));
  for (const file of copy.manifest.files) if (!files.has(file.path) && !goes.has(file.path)) files.set(file.path, file);
  const united = remake(wanted, [...files.values()]);
  const isOneVersion = whole === undefined ? copy.manifest.commit === wanted.commit : isPartOf(united, whole);
  return isOneVersion ? united : { ...united, revision: null, commit: null };
}

/** Whether all files of a copy belong to the model. */
export function isPartOf({ files }: Manifest, whole: Manifest): boolean {
  const known = new Map(whole.files.map(({ path, sha256 }) => [path, sha256]));
  return files.every(({ path, sha256 }) => known.get(path) === sha256);
}

/** A copy's manifest with other files. */
export const remake = ({ model_id, revision, commit, source, created_at }: Manifest, files: readonly ManifestFile[]): Manifest =>
  makeManifest(model_id, files, { revision, commit, source, createdAt: new Date(created_at || 0) });
