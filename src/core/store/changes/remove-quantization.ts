import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { takeFiles } from '../../transfer/trash/take-away.ts';
import { isPlaceInside } from '../disk/inside-store.ts';
import type { StoreLayout } from '../layout.ts';
import { isOfModel } from '../own-model.ts';
import { writeRegistryEntry } from '../records/registry.ts';
import { requireRegistry } from '../records/repair-registry.ts';
import type { ChangeContext } from './change-context.ts';
import type { RemoveQuantizationIntent } from './intents.ts';

/** Ends the removal of one quantization: first it stops being served, then its files go. Each step may be done twice. */
export async function removeQuantization(intent: RemoveQuantizationIntent, context: ChangeContext): Promise<void> {
  const { layout, records, assertHeld } = context;
  const { modelId, storePath, entry, manifest, seen, upstream } = intent;
  const registry = await requireRegistry(layout);
  // Another program may have removed the whole model since this was written down.
  if (registry.entries.has(modelId)) {
    await assertHeld();
    await writeRegistryEntry(layout.registry, registry, modelId, entry);
    // Without a manifest that can be read one is made of the files that stay.
    if (manifest === null) await records.remove(modelId);
    else await records.write(manifest, { seen, upstream });
  }
  await assertHeld();
  if (await isPlaceInside(layout.root, storePath)) await takeQuantization(intent, layout);
}

/**
 * Moves the files of one quantization into the trash; everything beside them stays as it is.
 * @param isFull whether there is no room for a trash, so that they are removed at once
 */
export async function takeQuantization(
  { storePath, files }: Pick<RemoveQuantizationIntent, 'storePath' | 'files'>,
  { root, trash }: Pick<StoreLayout, 'root' | 'trash'>,
  { isFull } = { isFull: false },
): Promise<void> {
  const place = join(root, storePath);
  const info = await lstat(place).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  // What a link leads to may be somebody else's.
  if (info?.isDirectory() !== true) return;
  await takeFiles(place, { trash: isFull ? undefined : trash }, { isOurs: isOfModel(files) });
}
