import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Companion, formatCompanions, parseCompanions } from '../catalog/companions.ts';
import { parseManifest } from '../catalog/manifest.ts';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { isSha256, type Sha256 } from '../kernel/sha256.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { type Fingerprint, readFingerprint, sameFingerprint } from '../transfer/fingerprint.ts';
import { copyRecordName } from './layout.ts';

/** Which part of a model a copy holds. */
export interface ModelPart {
  /** As the person named it. */
  readonly selector: string;
  /** The digest of the whole model that it is a part of. */
  readonly of: Sha256;
}

/** What a staged copy says of itself: the manifest it was staged from, and what its files looked like then. */
export interface CopyRecord {
  readonly manifest: Manifest;
  /** What the model's card named when it was staged. */
  readonly companions: readonly Companion[];
  readonly seen: Readonly<Record<string, Fingerprint>>;
  /** Undefined when the copy is the whole model. */
  readonly part?: ModelPart | undefined;
  /** When it was staged, in ISO 8601, as the record on the disk says; undefined when that does not say. */
  readonly stagedAt?: string | undefined;
}

/** Reads a copy's record; undefined when there is none or it cannot be used, so that the copy counts as absent. */
export async function readCopyRecord(directory: string): Promise<CopyRecord | undefined> {
  const path = join(directory, copyRecordName);
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as {
      staged?: { at?: unknown; seen?: CopyRecord['seen']; companions?: unknown; part?: unknown };
    };
    const { at, seen = {}, companions, part } = value.staged ?? {};
    const stagedAt = typeof at === 'string' ? at : undefined;
    return { manifest: parseManifest(value, path), companions: parseCompanions(companions), seen, part: parsePart(part), stagedAt };
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) throw error;
    return undefined;
  }
}

/** What cannot be read counts as a part of something that nobody has, so that nobody takes it for the whole. */
function parsePart(value: unknown): ModelPart | undefined {
  if (value === undefined) return undefined;
  const { selector, of } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return typeof selector === 'string' && isSha256(of) ? { selector, of } : { selector: '', of: '0'.repeat(64) as Sha256 };
}

/** Writes the record: the manifest's own keys, and under `staged` what only this copy knows. */
export async function writeCopyRecord(directory: string, { manifest, companions, seen, part }: CopyRecord, stagedAt: Date): Promise<void> {
  const staged = { at: stagedAt.toISOString(), companions: formatCompanions(companions), seen, ...(part !== undefined && { part }) };
  const content = { ...manifest, staged };
  await writeFileDurably(join(directory, copyRecordName), JSON.stringify(content));
}

/** The paths of a copy's files that are not what was verified; empty for a copy that is whole. */
export function findChangedFiles(directory: string, { manifest, seen }: CopyRecord): readonly string[] {
  return manifest.files.filter(({ path }) => !sameFingerprint(seen[path], readFingerprint(join(directory, path)))).map(({ path }) => path);
}
