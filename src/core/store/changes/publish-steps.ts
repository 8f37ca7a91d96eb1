import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { renameDurably } from '../../kernel/files/durable-file.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { settleTaken } from '../../transfer/trash/empty-trash.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import { takeAway } from '../../transfer/trash/take-away.ts';
import { notRegistered, proveReplaceable } from '../own-model.ts';
import { writeRegistryEntry } from '../records/registry.ts';
import { requireRegistry } from '../records/repair-registry.ts';
import { addFiles, seenAgain } from './add-files.ts';
import type { ChangeContext } from './change-context.ts';
import type { PublishIntent } from './intents.ts';

/**
 * The first step of a publication: moves a model's files into place. The old files first go to the trash, and are restored if the move
 * fails. Added files do not change existing ones. Does nothing if an earlier try did it.
 */
export async function exchangeFiles(
  { entry, incoming, added }: PublishIntent,
  { layout, records, assertHeld }: ChangeContext,
): Promise<void> {
  if (incoming === null) return;
  const { model_id, store_path } = entry;
  const place = join(layout.root, store_path);
  const files = join(layout.incoming, incoming, 'files');
  if (!(await exists(files))) return;
  await assertHeld();
  if (added !== undefined && (await exists(place))) return addFiles(place, { from: files, added });
  const old = await takeAway(place, layout, proveReplaceable(model_id, store_path, { registry: () => requireRegistry(layout), records }));
  try {
    await makeDirectory(dirname(place));
    await assertHeld();
    await renameDurably(files, place);
  } catch (error) {
    await old?.restore();
    // Something else was put there in this moment.
    if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw notRegistered(model_id, place);
    throw error;
  }
  await old?.seal();
}

/** The second step: writes the manifest of a model whose files are in place, then its registry entry. */
export async function enterModel(
  { entry, manifest, upstream, seen, incoming, added }: PublishIntent,
  { layout, records, world, assertHeld }: ChangeContext,
): Promise<void> {
  const place = join(layout.root, entry.store_path);
  if (incoming !== null) await removeTree(join(layout.incoming, incoming));
  if (!(await exists(place))) {
    const isBack = (await settleTaken(layout)).includes(place);
    const what = isBack ? 'the previous model was restored' : 'so it was not added';
    world.emit({ type: 'warning', message: `${place} disappeared before ${entry.model_id} was added to the registry, ${what}` });
    return;
  }
  await assertHeld();
  await records.write(manifest, { seen: added === undefined ? seen : await seenAgain(place, seen), upstream });
  const registry = await requireRegistry(layout);
  await assertHeld();
  await writeRegistryEntry(layout.registry, registry, entry.model_id, { entry, keepsContent: added !== undefined });
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
