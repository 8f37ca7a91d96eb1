import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemFilesBeside } from '../catalog/model-files.ts';
import { SkulkError } from '../kernel/errors.ts';
import { lstatIfPresent } from '../kernel/files/if-present.ts';
import { quoteSome } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { findOthers } from '../transfer/trash/list-below.ts';
import type { Prove } from '../transfer/trash/take-away.ts';
import { type CopyRecord, readCopyRecord } from './copy-record.ts';
import { settleChanges } from './groups/change-journal.ts';
import { copyPath, copyRecordName, lastUsedName, recordDraft, type StagingLayout } from './layout.ts';
import { behindGate } from './leases/gate.ts';

/*
 * Only this file decides whether skulk created something below a staging root and may move, replace or remove it. It must be a directory
 * with a copy record of the same model as its name, or with the mark that the Python Skulk leaves in its copies. All other directories
 * are never touched.
 */

/** What is at a model's path below a staging root. */
export type CopyPlace =
  | { readonly is: 'free' }
  /** `record` is absent for a copy that the Python Skulk staged. */
  | { readonly is: 'ours'; readonly record: CopyRecord | undefined }
  | { readonly is: 'foreign'; readonly why: string };

/** Checks what is at a model's path. */
export async function inspectPlace(directory: string, modelId: ModelId): Promise<CopyPlace> {
  for (;;) {
    const info = await lstatIfPresent(directory);
    if (info === undefined) return { is: 'free' };
    const found = await inspectItem(directory, info, modelId);
    if (found.is !== 'foreign') return found;
    // Another process may have moved the copy away, or put one there, while this one searched for its record.
    if (!isMoved(info, await lstatIfPresent(directory))) return found;
  }
}

/** Whether a path had another item before, or the same one was elsewhere meanwhile: a rename changes its ctime, and not its mtime. */
const isMoved = (before: BigIntStats, now: BigIntStats | undefined): boolean =>
  now?.ino !== before.ino || now.dev !== before.dev || (now.ctimeNs !== before.ctimeNs && now.mtimeNs === before.mtimeNs);

async function inspectItem(directory: string, info: BigIntStats, modelId: ModelId): Promise<CopyPlace> {
  if (info.isSymbolicLink()) return { is: 'foreign', why: 'it is a symbolic link' };
  if (!info.isDirectory()) return { is: 'foreign', why: 'it is not a directory' };
  const record = await readCopyRecord(directory);
  if (record !== undefined)
    return record.manifest.model_id === modelId
      ? { is: 'ours', record }
      : { is: 'foreign', why: `its record describes a copy of ${record.manifest.model_id}` };
  const isMarked = await lstat(join(directory, lastUsedName)).then(
    (mark) => mark.isFile(),
    () => false,
  );
  if (isMarked) return { is: 'ours', record: undefined };
  const hasRecord = await readFile(join(directory, copyRecordName)).then(
    () => true,
    () => false,
  );
  return { is: 'foreign', why: hasRecord ? `its ${copyRecordName} cannot be read` : 'it has no record of skulk' };
}

/** Whether a file in a copy's directory belongs to the copy, or was created by an operating system. */
export function isOfCopy(record: CopyRecord | undefined): (path: string, item: Dirent) => boolean {
  // The Python Skulk kept no record of the files it staged, but it creates no links.
  if (record === undefined) return (_, item) => item.isFile();
  const own = new Set<string>([copyRecordName, lastUsedName, ...record.manifest.files.map(({ path }) => path)]);
  const isLitter = systemFilesBeside(own);
  return (path, item) => item.isFile() && (own.has(path) || recordDraft.test(path) || isLitter(path));
}

/** The files in a copy's directory that skulk did not put there. */
export const findForeignFiles = (directory: string, record: CopyRecord | undefined): Promise<readonly string[]> =>
  findOthers(directory, isOfCopy(record));

/**
 * Checks that a copy of the model can be published: its path is free, or skulk created what is there.
 * @throws SkulkError CONFLICT
 */
export async function requireOwnPlace(layout: StagingLayout, modelId: ModelId): Promise<void> {
  const place = copyPath(layout, modelId);
  const found = await inspectPlace(place, modelId);
  if (found.is === 'foreign') throw notOurs(place, found.why);
}

/**
 * Checks that a copy may be replaced as a whole: as `requireOwnPlace`, and it contains no foreign files.
 * @param signal undefined behind the gate
 * @throws SkulkError CONFLICT
 */
export async function requireReplaceable(layout: StagingLayout, modelId: ModelId, signal?: AbortSignal): Promise<void> {
  const path = copyPath(layout, modelId);
  const prove = (): Promise<void> => proveReplaceable(modelId)(path, path);
  await prove().catch(async (conflict: unknown) => {
    if (signal === undefined || !(conflict instanceof SkulkError)) throw conflict;
    // A quantization that is being added or removed is not in the record.
    await behindGate(layout, signal, async () => {
      await settleChanges(layout, modelId);
      await prove();
    }).catch((error: unknown) => {
      throw error instanceof SkulkError ? error : conflict;
    });
  });
}

/** The check before a copy is replaced. */
export const proveReplaceable =
  (modelId: ModelId): Prove =>
  async (at, path) => {
    const found = await inspectPlace(at, modelId);
    if (found.is === 'foreign') throw notOurs(path, found.why);
    if (found.is === 'free') return;
    const others = await findForeignFiles(at, found.record);
    if (others.length === 0) return;
    throw new SkulkError('CONFLICT', `${path} also contains files that skulk did not create, so it is not touched: ${quoteSome(others)}`, {
      hint: 'move them out of that directory, then stage again',
    });
  };

const notOurs = (path: string, why: string): SkulkError =>
  new SkulkError('CONFLICT', `${path} was not created by skulk, so it is not touched: ${why}`, {
    hint: `move it away, or set staging.node_cache_path to a directory other than ${dirname(path)}`,
  });
