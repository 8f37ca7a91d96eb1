import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { systemFilesBeside } from '../catalog/model-files.ts';
import { SkulkError } from '../kernel/errors.ts';
import { lstatIfPresent } from '../kernel/files/if-present.ts';
import { quoteSome } from '../kernel/files/relative-path.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { RegistryEntry } from '../protocol/models/entries.ts';
import { findOthers } from '../transfer/trash/list-below.ts';
import type { Prove } from '../transfer/trash/take-away.ts';
import type { StoreWriter } from './changes/store-writer.ts';
import type { KnownManifest, ModelRecords } from './records/model-records.ts';
import type { Registry } from './records/registry.ts';

/*
 * Only this file decides whether something below a store's root may be moved, replaced or removed. The registry must list it as the
 * directory of the same model, and the registry or the manifest must list the files. Everything else belongs to a user, and no `force`
 * changes that.
 */

/**
 * The paths of a model's files in the registry and the manifest. A manifest made from the content of the directory proves no more than
 * the registry.
 */
export function filesOf(entry: RegistryEntry, known: KnownManifest | undefined): readonly string[] {
  const isProof = known?.manifest.source !== 'adopted' || entry.files.length === 0;
  return [...new Set([...entry.files, ...((isProof ? known : undefined)?.manifest.files.map(({ path }): string => path) ?? [])])];
}

/** Whether a file in a model's directory belongs to the model, or was left by an operating system or a download. */
export function isOfModel(files: readonly string[]): (path: string, item: Dirent) => boolean {
  const own = new Set(files);
  const isLitter = systemFilesBeside(own);
  return (path, item) => item.isFile() && (own.has(path) || isLitter(path));
}

/** Foreign files in a model's directory; empty if the directory is a link, which is removed as a link. */
export async function findForeignFiles(directory: string, files: readonly string[]): Promise<readonly string[]> {
  const info = await lstatIfPresent(directory);
  return info?.isDirectory() === true ? await findOthers(directory, isOfModel(files)) : [];
}

/** The check before a directory of the store is replaced. */
export function proveReplaceable(
  modelId: ModelId,
  storePath: string,
  { registry, records }: { readonly registry: () => Promise<Registry>; readonly records: Pick<ModelRecords, 'read'> },
): Prove {
  return async (at, path) => {
    if ((await lstatIfPresent(at)) === undefined) return;
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
 * Checks that a model can be published: its directory must be registered, with all of its files.
 * @throws SkulkError CONFLICT
 */
async function requireReplaceable(
  root: string,
  modelId: ModelId,
  context: { readonly registry: () => Promise<Registry>; readonly records: Pick<ModelRecords, 'read'> },
): Promise<void> {
  const storePath = (await context.registry()).entries.get(modelId)?.store_path ?? directoryName(modelId);
  const place = join(root, storePath);
  await proveReplaceable(modelId, storePath, context)(place, place);
}

/**
 * The same outside of a change to the store. A model that is just being published is in its place, but not in the registry yet, so a refusal
 * is only valid if it is repeated when no change is under way.
 * @throws SkulkError CONFLICT
 */
export async function requirePlace(
  root: string,
  modelId: ModelId,
  context: Parameters<typeof requireReplaceable>[2] & { readonly writer: Pick<StoreWriter, 'write'> },
): Promise<void> {
  await requireReplaceable(root, modelId, context).catch((error: unknown) => {
    if (!(error instanceof SkulkError) || error.code !== 'CONFLICT') throw error;
    return context.writer.write(() => requireReplaceable(root, modelId, context));
  });
}

/** The error for changing an unregistered directory. */
export const notRegistered = (modelId: ModelId, place: string): SkulkError =>
  new SkulkError('CONFLICT', `${place} exists but is not in the registry, so it is not touched`, {
    hint: `adopt it: skulk add ${place} --as ${modelId}; or move it away`,
  });
