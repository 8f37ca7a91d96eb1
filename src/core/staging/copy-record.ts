import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Companion, formatCompanions, parseCompanions } from '../catalog/companions.ts';
import { parseManifest } from '../catalog/manifest.ts';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { isSha256, type Sha256 } from '../kernel/sha256.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { type Fingerprint, readFingerprint, sameFingerprint } from '../transfer/fingerprint.ts';
import { type CopyGroup, groupAll, makeCopyGroup } from './groups/copy-groups.ts';
import { copyRecordName } from './layout.ts';

/** What a staged copy says of itself: the manifest it was staged from, and what its files looked like then. */
export interface CopyRecord {
  /** Of all files that are here, of whichever quantization. */
  readonly manifest: Manifest;
  /** What the model's card named when it was staged. */
  readonly companions: readonly Companion[];
  readonly seen: Readonly<Record<string, Fingerprint>>;
  /** The quantizations that are here; one where the model has none. */
  readonly groups: readonly CopyGroup[];
  /** The digest of the whole model in the store when all that is here was the store's; undefined when something here is older. */
  readonly of?: Sha256 | undefined;
  /** The file that the model's card named when it was staged. */
  readonly pin?: string | undefined;
  /**
   * How its content was verified where no store said what it must be: every file by its id at Hugging Face, or some only hashed as they
   * arrived. Absent of a copy that a manifest of the store vouches for.
   */
  readonly verified?: 'hub' | 'arrival' | undefined;
  /** Of a store that makes no manifests: what it said of the model when each quantization was staged; see `ListedModel`. */
  readonly listed?: Readonly<Record<string, string>> | undefined;
  /** When it was staged, in ISO 8601, as the record on the disk says; undefined when that does not say. */
  readonly stagedAt?: string | undefined;
}

/** What a record has under `staged`, before it is checked; `part` is of a version that knew one quantization only. */
type Staged = Partial<Record<'at' | 'companions' | 'part' | 'of' | 'groups' | 'pin' | 'verified' | 'listed', unknown>> & {
  seen?: CopyRecord['seen'];
};

/** Reads a copy's record; undefined when there is none or it cannot be used, so that the copy counts as absent. */
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
      ...readGroups(manifest, staged, stagedAt ?? new Date(0).toISOString()),
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

/** Groups that do not fit the files count as none, and then what is here is one group that is to be compared with the store anew. */
function readGroups(manifest: Manifest, { groups, of, part }: Staged, stagedAt: string): Pick<CopyRecord, 'groups' | 'of'> {
  const parsed = Array.isArray(groups) ? groups.map((one) => parseGroup(manifest, one)) : [];
  if (parsed.length > 0 && parsed.every((one) => one !== undefined)) return { groups: parsed, of: isSha256(of) ? of : undefined };
  const one = [groupAll(manifest, stagedAt)];
  if (groups !== undefined) return { groups: one };
  if (part === undefined) return { groups: one, of: manifest.digest };
  const { of: whole } = (typeof part === 'object' && part !== null ? part : {}) as Record<string, unknown>;
  return { groups: one, of: isSha256(whole) ? whole : undefined };
}

function parseGroup(manifest: Manifest, value: unknown): CopyGroup | undefined {
  const { selector, files, digest, last_used } = (value ?? {}) as Partial<Record<string, unknown>>;
  const isGood =
    (selector === null || (typeof selector === 'string' && selector !== '')) &&
    Array.isArray(files) &&
    files.every((path) => typeof path === 'string') &&
    typeof last_used === 'string' &&
    !Number.isNaN(Date.parse(last_used));
  if (!isGood) return undefined;
  const group = makeCopyGroup(manifest, { selector, files }, new Date(last_used).toISOString());
  return group.digest === digest && group.files.length === files.length ? group : undefined;
}

/** Writes the record: the manifest's own keys, and under `staged` what only this copy knows. */
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
    groups: groups.map(({ selector, files, digest, lastUsed }) => ({ selector, files, digest, last_used: lastUsed })),
  };
  await writeFileDurably(join(directory, copyRecordName), JSON.stringify({ ...manifest, staged }));
}

/** The paths of a copy's files that are not what was verified; empty for a copy that is whole. */
export function findChangedFiles(directory: string, { manifest, seen }: CopyRecord): readonly string[] {
  return manifest.files.filter(({ path }) => !sameFingerprint(seen[path], readFingerprint(join(directory, path)))).map(({ path }) => path);
}
