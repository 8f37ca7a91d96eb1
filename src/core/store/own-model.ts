import type { Dirent } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemFilesBeside } from '../catalog/model-files.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { quoteSome } from '../kernel/files/relative-path.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { RegistryEntry } from '../protocol/models.ts';
import { findOthers } from '../transfer/trash/list-below.ts';
import type { Prove } from '../transfer/trash/take-away.ts';
import type { KnownManifest, ModelRecords } from './records/model-records.ts';
import type { Registry } from './records/registry.ts';

/*
 * Here alone is decided whether what lies below a store's root may be moved, replaced or removed: the registry names it as the
 * directory of the very model, and of its files those that the registry or the manifest names. All else is somebody's own, and no
 * `force` changes that.
 */

/**
 * The paths of a model's files, as the registry and the manifest name them. A manifest that was made by looking at what lies in the
 * directory proves nothing beyond the registry.
 */
export function filesOf(entry: RegistryEntry, known: KnownManifest | undefined): readonly string[] {
  const isProof = known?.manifest.source !== 'adopted' || entry.files.length === 0;
  return [...new Set([...entry.files, ...((isProof ? known : undefined)?.manifest.files.map(({ path }): string => path) ?? [])])];
}

/** Whether a file of a model's directory is one of the model's, or what systems and downloads leave behind. */
export function isOfModel(files: readonly string[]): (path: string, item: Dirent) => boolean {
  const own = new Set(files);
  const isLitter = systemFilesBeside(own);
  return (path, item) => item.isFile() && (own.has(path) || isLitter(path));
}

/** What somebody else put into a model's directory; nothing when that is a link, which goes as a link. */
export async function findForeignFiles(directory: string, files: readonly string[]): Promise<readonly string[]> {
  const info = await lookAt(directory);
  return info?.isDirectory() === true ? await findOthers(directory, isOfModel(files)) : [];
}

/** What a directory of the store must prove before another takes its place. */
export function proveReplaceable(
  modelId: ModelId,
  storePath: string,
  { registry, records }: { readonly registry: () => Promise<Registry>; readonly records: Pick<ModelRecords, 'read'> },
): Prove {
  return async (at, path) => {
    if ((await lookAt(at)) === undefined) return;
    const entry = (await registry()).entries.get(modelId);
    if (entry?.store_path !== storePath) throw notRegistered(modelId, path);
    const others = await findForeignFiles(at, filesOf(entry, await records.read(modelId).catch(() => undefined)));
    if (others.length === 0) return;
    throw new SkulkError(
      'CONFLICT',
      `${path} also contains files that are not in the registry or a manifest, so it is not replaced: ${quoteSome(others)}`,
      { hint: 'move them out of that directory, then run the command again' },
    );
  };
}

/**
 * Refuses to go on when a model could not be put into its place: what lies there is not in the registry, or not all of it.
 * @throws SkulkError CONFLICT
 */
export async function requireReplaceable(
  root: string,
  modelId: ModelId,
  context: { readonly registry: () => Promise<Registry>; readonly records: Pick<ModelRecords, 'read'> },
): Promise<void> {
  const storePath = (await context.registry()).entries.get(modelId)?.store_path ?? directoryName(modelId);
  const place = join(root, storePath);
  await proveReplaceable(modelId, storePath, context)(place, place);
}

/** The refusal to touch what is in a model's place, but not in the registry. */
export const notRegistered = (modelId: ModelId, place: string): SkulkError =>
  new SkulkError('CONFLICT', `${place} exists but is not in the registry, so it is not touched`, {
    hint: `adopt it: skulk add ${place} --as ${modelId}; or move it away`,
  });

async function lookAt(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
