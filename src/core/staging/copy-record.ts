import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Companion, formatCompanions, parseCompanions } from '../catalog/companions.ts';
import { parseManifest } from '../catalog/manifest.ts';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { isSha256, type Sha256 } from '../kernel/sha256.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { type Fingerprint, readFingerprintSync, sameFingerprint } from '../transfer/fingerprint.ts';
import { type CopyGroup, groupAll, makeCopyGroup } from './groups/copy-groups.ts';
import { copyRecordName } from './layout.ts';

/** The record of a staged copy: its manifest, and the fingerprints of its files at that time. */
export interface CopyRecord {
  /** All files of the copy, of every quantization. */
  readonly manifest: Manifest;
  /** The companions that the model's card named when it was staged. */
  readonly companions: readonly Companion[];
  readonly seen: Readonly<Record<string, Fingerprint>>;
  /** The quantizations of the copy; exactly one if the model has none. */
  readonly groups: readonly CopyGroup[];
  /** The digest of the whole model in the store when all of the copy was current; undefined if a part of it is older. */
  readonly of?: Sha256 | undefined;
  /** The file that the model's card named when it was staged. */
  readonly pin?: string | undefined;
  /**
   * How the content was verified without a digest from a store: every file by its id at Hugging Face, or some only hashed on arrival.
   * Absent for a copy with a manifest of the store.
   */
  readonly verified?: 'hub' | 'arrival' | undefined;
  /** For a store without manifests: its description of the model when each quantization was staged; see `ListedModel`. */
  readonly listed?: Readonly<Record<string, string>> | undefined;
  /** When its newest quantization was staged, in ISO 8601; undefined if the record lacks it. */
  readonly stagedAt?: string | undefined;
}

/** The unvalidated content of a record under `staged`. `part` comes from a version that supported only one quantization. */
type Staged = Partial<Record<'at' | 'companions' | 'part' | 'of' | 'groups' | 'pin' | 'verified' | 'listed', unknown>> & {
  seen?: CopyRecord['seen'];
};

/** Reads a copy's record; undefined if it is missing or unusable, and then the copy counts as absent. */
export async function readCopyRecord(directory: string): Promise<CopyRecord | undefined> {
  const path = join(directory, copyRecordName);
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as { staged?: Staged };
    const { at, seen = {}, companions, pin, verified, listed, ...staged } = value.staged ?? {};
    const stagedAt = typeof at === 'string' ? at : undefined;
    const manifest = parseManifest(value, path);
    return {
      manifest,
      companions: parseCompanions(companions),
      seen,
      ...readGroups(manifest, staged, stagedAt),
      ...(typeof pin === 'string' && { pin }),
      ...((verified === 'hub' || verified === 'arrival') && { verified }),
      ...(isTexts(listed) && { listed }),
      stagedAt,
    };
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) throw error;
    return undefined;
  }
}

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');

/**
 * Groups that do not match the files are ignored. Then the copy is one group, which is compared with the store again.
 * @param stagedAt for groups without their own time, from an older version
 */
function readGroups(manifest: Manifest, { groups, of, part }: Staged, stagedAt: string | undefined): Pick<CopyRecord, 'groups' | 'of'> {
  const parsed = Array.isArray(groups) ? groups.map((one) => parseGroup(manifest, one, stagedAt)) : [];
  if (parsed.length > 0 && parsed.every((one) => one !== undefined)) return { groups: parsed, of: isSha256(of) ? of : undefined };
  const one = [groupAll(manifest, stagedAt)];
  if (groups !== undefined) return { groups: one };
  if (part === undefined) return { groups: one, of: manifest.digest };
  const { of: whole } = (typeof part === 'object' && part !== null ? part : {}) as Record<string, unknown>;
  return { groups: one, of: isSha256(whole) ? whole : undefined };
}

function parseGroup(manifest: Manifest, value: unknown, ofCopy: string | undefined): CopyGroup | undefined {
  const { selector, files, digest, last_used, staged_at } = (value ?? {}) as Partial<Record<string, unknown>>;
  const isGood =
    (selector === null || (typeof selector === 'string' && selector !== '')) &&
    Array.isArray(files) &&
    files.every((path) => typeof path === 'string') &&
    typeof last_used === 'string' &&
    !Number.isNaN(Date.parse(last_used));
  if (!isGood) return undefined;
  const stagedAt = typeof staged_at === 'string' ? staged_at : ofCopy;
  const group = makeCopyGroup(manifest, { selector, files, stagedAt }, new Date(last_used).toISOString());
  return group.digest === digest && group.files.length === files.length ? group : undefined;
}

/** Writes the record: the manifest's own keys, and under `staged` the data of this copy only. */
export async function writeCopyRecord(
  directory: string,
  { manifest, companions, seen, groups, of, pin, verified, listed, stagedAt }: CopyRecord,
): Promise<void> {
  const staged = {
    ...(stagedAt !== undefined && { at: stagedAt }),
    companions: formatCompanions(companions),
    seen,
    ...(of !== undefined && { of }),
    ...(pin !== undefined && { pin }),
    ...(verified !== undefined && { verified }),
    ...(listed !== undefined && { listed }),
    groups: groups.map(({ selector, files, digest, lastUsed, stagedAt: since }) => ({
      selector,
      files,
      digest,
      last_used: lastUsed,
      ...(since !== undefined && { staged_at: since }),
    })),
  };
  await writeFileDurably(join(directory, copyRecordName), JSON.stringify({ ...manifest, staged }));
}

/** The paths of a copy's files that changed since they were verified; empty for an intact copy. */
export function findChangedFiles(directory: string, { manifest, seen }: CopyRecord): readonly string[] {
  return manifest.files
    .filter(({ path }) => !sameFingerprint(seen[path], readFingerprintSync(join(directory, path))))
    .map(({ path }) => path);
}
