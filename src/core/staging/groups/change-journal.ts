import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { syncDirectory, writeFileDurably } from '../../kernel/files/durable-file.ts';
import { isRelativePath } from '../../kernel/files/relative-path.ts';
import { type ModelId, modelIdOfDirectory } from '../../kernel/model-id.ts';
import type { ManifestFile } from '../../protocol/manifest.ts';
import { type Fingerprint, readFingerprintSync, sameFingerprint } from '../../transfer/fingerprint.ts';
import { removeWorkPlace } from '../../transfer/work-place.ts';
import { type CopyRecord, readCopyRecord, writeCopyRecord } from '../copy-record.ts';
import { copyPath, incomingCopy, recordDraft, type StagingLayout } from '../layout.ts';
import { makeCopyGroup } from './copy-groups.ts';
import { remake } from './plan-growth.ts';

/*
 * A copy gains and loses quantizations while its directory stays in place. Each file is recorded in `incoming/` before it is added or
 * removed. A recorded file that is not in the copy's record was left by a killed process, and is removed. All of this happens behind the
 * gate.
 */

/** A file that is added or removed. */
export interface ChangedFile {
  readonly path: string;
  /** Distinguishes it from a foreign file with the same name. */
  readonly fingerprint: Fingerprint;
  /** Its entry in the copy's record after it was added; only for a new version of a file that several quantizations share. */
  readonly file?: ManifestFile;
}

const journalName = 'changes.json';
const journalPath = (layout: StagingLayout, modelId: ModelId): string => join(incomingCopy(layout, modelId).path, journalName);

/** The record that is written before a copy changes. */
export interface CopyChange {
  readonly op: 'add' | 'remove';
  readonly files: readonly ChangedFile[];
}

/** Records which files of a copy are about to be added or removed. */
export const writeChanges = (layout: StagingLayout, modelId: ModelId, { op, files }: CopyChange): Promise<void> =>
  writeFileDurably(journalPath(layout, modelId), JSON.stringify({ version: 1, op, files }));

/** Removes the record of `writeChanges` after the copy's own record has been written. */
export async function removeChanges(layout: StagingLayout, modelId: ModelId): Promise<void> {
  const path = journalPath(layout, modelId);
  await rm(path, { force: true });
  // The directory is empty if a quantization was removed.
  await rmdir(dirname(path)).catch(() => undefined);
}

/** The models whose copies have an unfinished change. */
export async function listChanging(layout: StagingLayout): Promise<readonly ModelId[]> {
  const names = await readdir(layout.incoming).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  });
  const models = names.flatMap((name) => modelIdOfDirectory(name) ?? []);
  const found = await Promise.all(models.map((modelId) => readChanges(layout, modelId)));
  return models.filter((_, index) => found[index] !== undefined);
}

/**
 * Finishes a change that a killed process left, so that every quantization is complete or absent. The caller makes sure that nothing else
 * changes the copy.
 */
export async function settleChanges(layout: StagingLayout, modelId: ModelId): Promise<void> {
  const changes = await readChanges(layout, modelId);
  if (changes === undefined) return;
  const directory = copyPath(layout, modelId);
  const record = await readCopyRecord(directory);
  if (record !== undefined && record.manifest.model_id === modelId) {
    const here = changes.files.filter(({ path, fingerprint }) => sameFingerprint(fingerprint, readFingerprintSync(join(directory, path))));
    const known = new Set<string>(record.manifest.files.map(({ path }) => path));
    await correctRecord(directory, record, here);
    for (const { path } of here) if (!known.has(path)) await removeFile(directory, path);
    await removeDrafts(directory);
    // All files were added, so the directory they were built in is not needed.
    if (changes.op === 'add' && changes.files.every(({ path }) => known.has(path))) await removeWorkPlace(incomingCopy(layout, modelId));
  }
  await removeChanges(layout, modelId);
}

/** A shared file already has its new version. */
async function correctRecord(directory: string, record: CopyRecord, here: readonly ChangedFile[]): Promise<void> {
  const renewed = new Map(here.flatMap((one) => (one.file === undefined ? [] : [[one.path, { ...one, file: one.file }] as const])));
  const { manifest } = record;
  if (!manifest.files.some(({ path, sha256 }) => (renewed.get(path)?.file.sha256 ?? sha256) !== sha256)) return;
  const files = manifest.files.map((file) => renewed.get(file.path)?.file ?? file);
  const seen = { ...record.seen };
  for (const { path } of manifest.files) {
    const fingerprint = renewed.get(path)?.fingerprint;
    if (fingerprint !== undefined) seen[path] = fingerprint;
  }
  const corrected = remake(manifest, files);
  const groups = record.groups.map((group) => makeCopyGroup(corrected, group, group.lastUsed));
  await writeCopyRecord(directory, { ...record, manifest: corrected, groups, seen, of: undefined });
}

/** A record whose writing was interrupted. */
async function removeDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) if (recordDraft.test(name)) await rm(join(directory, name), { force: true });
}

async function removeFile(directory: string, path: string): Promise<void> {
  await rm(join(directory, path), { force: true });
  for (let at = dirname(path); at !== '.'; at = dirname(at)) {
    const isEmptied = await rmdir(join(directory, at)).then(
      () => true,
      () => false,
    );
    if (!isEmptied) break;
  }
  await syncDirectory(directory);
}

/** Undefined if there is no record, or skulk did not write it. */
async function readChanges(layout: StagingLayout, modelId: ModelId): Promise<CopyChange | undefined> {
  try {
    const { op, files } = JSON.parse(await readFile(journalPath(layout, modelId), 'utf8')) as { op?: unknown; files?: unknown };
    if (!Array.isArray(files) || (op !== 'add' && op !== 'remove')) return undefined;
    return { op, files: (files as Partial<ChangedFile>[]).filter((one): one is ChangedFile => isChangedFile(one)) };
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}

const isChangedFile = ({ path, fingerprint }: Partial<ChangedFile>): boolean =>
  typeof path === 'string' && isRelativePath(path) && typeof fingerprint === 'object' && fingerprint !== null;
