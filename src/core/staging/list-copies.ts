import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { totalBytes } from '../catalog/manifest.ts';
import { isSystemError } from '../kernel/errors.ts';
import { itemsIn, namesIn } from '../kernel/files/if-present.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import { directoryName, type ModelId, modelIdOfDirectory } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { isOwnWorkPlace } from '../transfer/work-place.ts';
import type { CopyRecord } from './copy-record.ts';
import { type CopyGroup, type GroupFiles, splitGroups, withLastUse } from './groups/copy-groups.ts';
import { readLastUsed } from './last-used.ts';
import { copyRecordName, incomingCopy, lastUsedName, type StagingLayout } from './layout.ts';
import { inspectPlace } from './own-copy.ts';

/** The block size of `stat`, in bytes. */
const blockSize = 512;

/** A staged copy as it is on the disk. */
export interface StagedCopy {
  readonly modelId: ModelId;
  readonly directory: string;
  /** The size of its files, in bytes. */
  readonly sizeBytes: number;
  readonly lastUsed: Date;
  /** Null for a copy that the Python Skulk staged without verification. */
  readonly digest: string | null;
  /** How a copy from a Python store host was verified. */
  readonly verified?: CopyRecord['verified'];
  /** Its groups, most recently used first; exactly one if the model has no quantizations. */
  readonly groups: readonly StagedGroup[];
  /** The single quantizations, even of an older copy, whose record has only one group. */
  readonly parts: readonly StagedGroup[];
}

/** A quantization of a staged copy. */
export interface StagedGroup extends GroupFiles {
  /** The size of its own files, in bytes; for the only one, including files that it would share. */
  readonly sizeBytes: number;
  readonly lastUsed: Date;
  /** The digest of its own files; null for a copy that another program made. */
  readonly digest: Sha256 | null;
}

/** The content of a staging root. */
export interface StagedCopies {
  /** Most recently used first. */
  readonly copies: readonly StagedCopy[];
  /** Names that skulk did not create. They are never changed. */
  readonly foreign: readonly string[];
}

/** Lists the copies below a staging root; empty for a missing one. */
export async function listCopies({ root }: StagingLayout): Promise<StagedCopies> {
  const copies: StagedCopy[] = [];
  const foreign: string[] = [];
  const items = await itemsIn(root);
  for (const item of items) {
    if (item.name === '.skulk') continue;
    const copy = item.isDirectory() ? await describeCopy(join(root, item.name), item.name) : undefined;
    if (copy === undefined) foreign.push(item.name);
    else copies.push(copy);
  }
  return { copies: copies.toSorted((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime()), foreign };
}

/** The models with an unfinished copy in `incoming/`. */
export async function listUnfinished(layout: StagingLayout): Promise<readonly ModelId[]> {
  const names = await namesIn(layout.incoming);
  const models = names.flatMap((name) => modelIdOfDirectory(name) ?? []);
  const isOwn = await Promise.all(models.map((modelId) => isOwnWorkPlace(incomingCopy(layout, modelId))));
  return models.filter((_, index) => isOwn[index]);
}

/** A removable item below a staging root, and the bytes that its removal frees. */
export interface Removable {
  readonly modelId: ModelId;
  readonly sizeBytes: number;
}

/** The models with an unfinished copy in `incoming/`, and the disk space that each takes. */
export async function measureUnfinished(layout: StagingLayout): Promise<readonly Removable[]> {
  return await Promise.all(
    (await listUnfinished(layout)).map(async (modelId) => ({ modelId, sizeBytes: await takenBelow(incomingCopy(layout, modelId).files) })),
  );
}

/** A sparse file takes only the written blocks. A file that the copy shares takes no more space. */
async function takenBelow(directory: string): Promise<number> {
  const items = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const taken = await mapConcurrently(
    items.filter((item) => item.isFile()),
    maxOpenFiles,
    ({ parentPath, name }) =>
      lstat(join(parentPath, name)).then(
        ({ size, blocks, nlink }) => (nlink > 1 ? 0 : Math.min(size, blocks * blockSize)),
        () => 0,
      ),
  );
  return taken.reduce((sum, size) => sum + size, 0);
}

async function describeCopy(directory: string, name: string): Promise<StagedCopy | undefined> {
  const modelId = modelIdOfDirectory(name);
  if (modelId === undefined || directoryName(modelId) !== name) return undefined;
  const found = await inspectPlace(directory, modelId);
  if (found.is !== 'ours') return undefined;
  const { record } = found;
  // A verified copy needs no check of each file.
  const sizeBytes = record === undefined ? await sizeOnDisk(directory) : totalBytes(record.manifest.files);
  const lastUsed =
    (await readLastUsed(directory)) ??
    (await lstat(directory).then(
      ({ mtime }) => mtime,
      () => new Date(0),
    ));
  return {
    modelId,
    directory,
    sizeBytes,
    lastUsed,
    digest: record?.manifest.digest ?? null,
    verified: record?.verified,
    ...groupsOf(record, { sizeBytes, lastUsed }),
  };
}

function groupsOf(
  record: CopyRecord | undefined,
  { sizeBytes, lastUsed }: Pick<StagedCopy, 'sizeBytes' | 'lastUsed'>,
): Pick<StagedCopy, 'groups' | 'parts'> {
  const all = { selector: null, files: [], sizeBytes, lastUsed, digest: null };
  if (record === undefined) return { groups: [all], parts: [] };
  const groups = withLastUse(record.groups, lastUsed);
  return { groups: measureGroups(record.manifest, groups), parts: measureGroups(record.manifest, splitGroups(record.manifest, groups)) };
}

function measureGroups(manifest: Manifest, groups: readonly CopyGroup[]): readonly StagedGroup[] {
  const sizes = new Map<string, number>(manifest.files.map(({ path, size }) => [path, size]));
  return groups
    .map(({ selector, files, digest, lastUsed: time }) => ({
      selector,
      files,
      sizeBytes: groups.length === 1 ? totalBytes(manifest.files) : files.reduce((sum, path) => sum + (sizes.get(path) ?? 0), 0),
      lastUsed: new Date(time),
      digest,
    }))
    .toSorted((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
}

async function sizeOnDisk(directory: string): Promise<number> {
  const items = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    // It was removed after it had been listed.
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  const files = items.filter((item) => item.isFile() && item.name !== copyRecordName && item.name !== lastUsedName);
  const sizes = await mapConcurrently(files, maxOpenFiles, ({ parentPath, name }) =>
    lstat(join(parentPath, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
