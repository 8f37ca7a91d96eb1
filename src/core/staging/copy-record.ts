import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Companion, formatCompanions, parseCompanions } from '../catalog/companions.ts';
import { type Manifest, parseManifest } from '../catalog/manifest.ts';
import { writeFileDurably } from '../kernel/durable-file.ts';
import { isSystemError } from '../kernel/errors.ts';
import { type Fingerprint, readFingerprint, sameFingerprint } from '../transfer/fingerprint.ts';
import { copyRecordName } from './layout.ts';

/** What a staged copy says of itself: the manifest it was staged from, and what its files looked like then. */
export interface CopyRecord {
  readonly manifest: Manifest;
  /** What the model's card named when it was staged. */
  readonly companions: readonly Companion[];
  readonly seen: Readonly<Record<string, Fingerprint>>;
}

/** Reads a copy's record; undefined when there is none or it cannot be used, so that the copy counts as absent. */
export async function readCopyRecord(directory: string): Promise<CopyRecord | undefined> {
  const path = join(directory, copyRecordName);
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as { staged?: { seen?: CopyRecord['seen']; companions?: unknown } };
    const { seen = {}, companions } = value.staged ?? {};
    return { manifest: parseManifest(value, path), companions: parseCompanions(companions), seen };
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) throw error;
    return undefined;
  }
}

/** Writes the record: the manifest's own keys, and under `staged` what only this copy knows. */
export async function writeCopyRecord(directory: string, { manifest, companions, seen }: CopyRecord, stagedAt: Date): Promise<void> {
  const content = { ...manifest, staged: { at: stagedAt.toISOString(), companions: formatCompanions(companions), seen } };
  await writeFileDurably(join(directory, copyRecordName), JSON.stringify(content));
}

/** The paths of a copy's files that are not what was verified; empty for a copy that is whole. */
export function findChangedFiles(directory: string, { manifest, seen }: CopyRecord): readonly string[] {
  return manifest.files.filter(({ path }) => !sameFingerprint(seen[path], readFingerprint(join(directory, path)))).map(({ path }) => path);
}
