import { dirname, join } from 'node:path';
import { totalBytes } from '../../catalog/manifest.ts';
import { isProjector } from '../../catalog/selection/projectors.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { syncDirectory } from '../../kernel/files/durable-file.ts';
import { mapConcurrently, maxOpenFiles } from '../../kernel/flow/concurrency.ts';
import { forEachYielding } from '../../kernel/flow/yielding.ts';
import { directoryName, type ModelId } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import { readFingerprint, untouchedBetween } from '../../transfer/fingerprint.ts';
import type { AdoptRequest } from '../contract.ts';
import { findSharer, isDirectoryInside, isPlaceInside } from '../disk/inside-store.ts';
import type { KnownManifest } from '../records/model-records.ts';
import type { Registry } from '../records/registry.ts';
import type { HashedModel } from './hash-model.ts';
import type { ScannedFile } from './scan-directory.ts';

/** On a disk that ignores case, two ids that only differ in case would share a directory. */
export function refuseLookalikes(modelId: ModelId, others: Iterable<ModelId>): void {
  for (const other of others) {
    if (other !== modelId && other.toLowerCase() === modelId.toLowerCase()) {
      throw new SkulkError('CONFLICT', `the store has ${other}, which differs from ${modelId} only in case`, {
        hint: `use ${other}, or delete it first`,
      });
    }
  }
}

/** The directory in the registry, unless replacing it would affect another model or something outside the store. */
export async function chooseStorePath(
  { modelId, incoming }: AdoptRequest,
  present: RegistryEntry | undefined,
  { root, entries }: { readonly root: string; readonly entries: Registry['entries'] },
): Promise<string> {
  const isOwnAlone =
    present !== undefined &&
    findSharer(present.store_path, modelId, entries.values()) === undefined &&
    (await isPlaceInside(root, present.store_path));
  if (incoming !== undefined && isOwnAlone) return present.store_path;
  const usual = directoryName(modelId);
  const sharer = findSharer(usual, modelId, entries.values());
  if (sharer === undefined) return usual;
  throw new SkulkError('CONFLICT', `the directory of ${modelId}, ${usual}, belongs to ${sharer.model_id} in the registry`, {
    hint: `delete ${sharer.model_id} first, or correct its store_path in registry.json`,
  });
}

/** Without `force`, a model is not replaced by other content. Throws CONFLICT. */
export async function refuseOtherContent(present: RegistryEntry | undefined, root: string): Promise<void> {
  if (present === undefined || !(await isDirectoryInside(root, present.store_path))) return;
  throw hasOtherContent(present.model_id);
}

/** The error for a name that is in use. */
export const hasOtherContent = (modelId: ModelId): SkulkError =>
  new SkulkError('CONFLICT', `${modelId} is already in the store with different content`, {
    hint: 'use --force to replace it, or another name with --as',
  });

/** Whether no file of a model has changed since it was hashed. */
export async function isUntouched({ manifest, seen }: KnownManifest, directory: string): Promise<boolean> {
  const verdicts = await mapConcurrently(manifest.files, maxOpenFiles, async ({ path }) =>
    untouchedBetween(seen[path], await readFingerprint(join(directory, path))),
  );
  return verdicts.every(Boolean);
}

/** Checks that hashed files have not changed since. Throws INTEGRITY. */
export async function refuseIfChanged(files: readonly ScannedFile[], { seen }: HashedModel): Promise<void> {
  await mapConcurrently(files, maxOpenFiles, async ({ path, absolute }) => {
    if (untouchedBetween(seen[path], await readFingerprint(absolute))) return;
    throw new SkulkError('INTEGRITY', `${absolute} changed after it was hashed`, {
      hint: 'wait until nothing writes to it, then run the command again',
    });
  });
}

/** Makes the names of the files survive a power cut. Their content is already synced. */
export async function syncDirectories(root: string, files: readonly ScannedFile[]): Promise<void> {
  const directories = new Set([root]);
  await forEachYielding(files, ({ path }) => {
    for (let at = dirname(path); at !== '.'; at = dirname(at)) directories.add(join(root, at));
  });
  for (const directory of directories) await syncDirectory(directory);
}

/** The registry entry for an adopted model. */
export function makeEntry(
  modelId: ModelId,
  { files }: Manifest,
  { present, storePath, now }: { readonly present: RegistryEntry | undefined; readonly storePath: string; readonly now: Date },
): RegistryEntry {
  const paths = files.map(({ path }) => path);
  return {
    model_id: modelId,
    store_path: storePath,
    files: paths,
    downloaded_at: now.toISOString(),
    total_bytes: totalBytes(files),
    repo_has_projector: paths.some(isProjector) || (present?.repo_has_projector ?? false),
  };
}
