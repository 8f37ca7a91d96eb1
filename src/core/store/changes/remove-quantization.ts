import { join } from 'node:path';
import { lstatIfPresent } from '../../kernel/files/if-present.ts';
import { takeFiles } from '../../transfer/trash/take-away.ts';
import { isPlaceInside } from '../disk/inside-store.ts';
import type { StoreLayout } from '../layout.ts';
import { isOfModel } from '../own-model.ts';
import { writeRegistryEntry } from '../records/registry.ts';
import { requireRegistry } from '../records/repair-registry.ts';
import type { ChangeContext } from './change-context.ts';
import type { RemoveQuantizationIntent } from './intents.ts';

/** Finishes the removal of one quantization: first it is no longer served, then its files are removed. Each step may be repeated. */
export async function removeQuantization(intent: RemoveQuantizationIntent, context: ChangeContext): Promise<void> {
  const { layout, records, assertHeld } = context;
  const { modelId, storePath, entry, manifest, seen, upstream } = intent;
  const registry = await requireRegistry(layout);
  // Another program may have deleted the whole model since the record was written.
  if (registry.entries.has(modelId)) {
    await assertHeld();
    await writeRegistryEntry(layout.registry, registry, modelId, { entry, keepsContent: true });
    // Without a readable manifest, a new one is made from the remaining files.
    if (manifest === null) await records.remove(modelId);
    else await records.write(manifest, { seen, upstream });
  }
  await assertHeld();
  if (await isPlaceInside(layout.root, storePath)) await takeQuantization(intent, layout);
}

/**
 * Moves the files of one quantization to the trash. All other files stay.
 * @param isFull whether there is no space for a trash, so that the files are deleted at once
 */
export async function takeQuantization(
  { storePath, files }: Pick<RemoveQuantizationIntent, 'storePath' | 'files'>,
  { root, trash }: Pick<StoreLayout, 'root' | 'trash'>,
  { isFull } = { isFull: false },
): Promise<void> {
  const place = join(root, storePath);
  const info = await lstatIfPresent(place);
  // The target of a link may belong to a user.
  if (info?.isDirectory() !== true) return;
  await takeFiles(place, { trash: isFull ? undefined : trash }, { isOurs: isOfModel(files) });
}
