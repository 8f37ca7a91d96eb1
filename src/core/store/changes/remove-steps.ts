import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull, SkulkError } from '../../kernel/errors.ts';
import { lstatIfPresent } from '../../kernel/files/if-present.ts';
import { quoteSome } from '../../kernel/files/relative-path.ts';
import { takeAway, takeFiles } from '../../transfer/trash/take-away.ts';
import { isPlaceInside } from '../disk/inside-store.ts';
import { findForeignFiles, isOfModel } from '../own-model.ts';
import { writeRegistryEntry } from '../records/registry.ts';
import { requireRegistry } from '../records/repair-registry.ts';
import type { ChangeContext } from './change-context.ts';
import { clearCaches, emptyTrash } from './clear-leftovers.ts';
import type { RemoveIntent, RemoveQuantizationIntent } from './intents.ts';
import { takeQuantization } from './remove-quantization.ts';

/** Finishes a deletion: first the model is no longer served, then its files are removed. Each step may be repeated. */
export async function removeModel(intent: RemoveIntent, { layout, records, world, assertHeld }: ChangeContext): Promise<void> {
  const { modelId, storePath } = intent;
  const registry = await requireRegistry(layout);
  await assertHeld();
  await writeRegistryEntry(layout.registry, registry, modelId, { entry: undefined });
  await records.remove(modelId);
  await clearCaches(layout, modelId);
  await assertHeld();
  if (await isPlaceInside(layout.root, storePath)) await takeModel(intent, { layout, world });
  else world.emit({ type: 'warning', message: `the directory of ${modelId}, ${storePath}, is outside the store, so it was not touched` });
}

/** Moves a model's files to the trash. Foreign files beside them stay. */
async function takeModel(
  { modelId, storePath, files }: RemoveIntent,
  { layout: { root, trash }, world: { emit } }: Pick<ChangeContext, 'layout' | 'world'>,
  { isFull = false } = {},
): Promise<void> {
  const place = join(root, storePath);
  const info = await lstatIfPresent(place);
  if (info === undefined) return;
  if (info.isFile()) {
    emit({ type: 'warning', message: `${place}, the registry's path of ${modelId}, is not a directory, so it was kept` });
    return;
  }
  // A link is removed as a link, without following it.
  if (isFull && info.isSymbolicLink()) return rm(place);
  const others = await findForeignFiles(place, files);
  if (others.length === 0 && !isFull) {
    const taken = await takeAway(place, { root, trash }, async (at, path) => {
      if ((await findForeignFiles(at, files)).length > 0)
        throw new SkulkError('CONFLICT', `another program is writing to ${path}, so it was kept`, { hint: 'delete the model again' });
    });
    await taken?.seal();
    return;
  }
  await takeFiles(place, { trash: isFull ? undefined : trash }, { isOurs: isOfModel(files) });
  if (others.length > 0)
    emit({
      type: 'warning',
      message: `${place} contained files that do not belong to ${modelId}, so they were kept: ${quoteSome(others)}`,
      hint: 'move that directory away before you add the model again',
    });
}

/**
 * On a full disk, nothing can be recorded before the files are gone. After a crash, a deleted model is listed as lost and can be deleted
 * again; a model without the removed quantization remains, from which it can be removed again.
 * @param isWritten whether the intent could be recorded
 * @param work the normal removal, without a full disk
 */
export async function removeOnFullDisk(
  intent: RemoveIntent | RemoveQuantizationIntent,
  { isWritten, work }: { readonly isWritten: boolean; readonly work: () => Promise<void> },
  { layout, world, assertHeld }: ChangeContext,
): Promise<void> {
  try {
    if (isWritten) return await work();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
  const take = (options?: { readonly isFull: boolean }): Promise<void> =>
    intent.op === 'remove' ? takeModel(intent, { layout, world }, options) : takeQuantization(intent, layout, options);
  await assertHeld();
  if (await isPlaceInside(layout.root, intent.storePath))
    await take().catch((error: unknown) => {
      if (!isDiskFull(error)) throw error;
      // Even the trash directory could not be created.
      return take({ isFull: true });
    });
  await emptyTrash(layout, world);
  await work();
}
