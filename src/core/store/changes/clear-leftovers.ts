import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { World } from '../../kernel/world.ts';
import { emptyTrash as emptyTrashAt } from '../../transfer/trash/empty-trash.ts';
import type { StoreLayout } from '../layout.ts';

/**
 * Removes files that a dead process was writing.
 * @param isAlone whether this process is no server: a server's fleet writes beside its changes, and tidies up for itself
 */
export async function removeDrafts({ root, manifests, seen, intents, fleet }: StoreLayout, isAlone: boolean): Promise<void> {
  // Every file in these directories is written under the lock.
  for (const directory of [root, manifests, seen, intents, ...(isAlone ? [fleet] : [])]) {
    const names = await readdir(directory).catch((): string[] => []);
    for (const name of names.filter((one) => /^\..+\.(?:nd)?json\.[0-9a-f]{12}\.tmp$/.test(one)))
      await rm(join(directory, name), { force: true });
  }
}

/** Empties the trash of a store; what cannot be removed now is tried again before the next change. */
export async function emptyTrash({ trash }: StoreLayout, { emit }: World): Promise<void> {
  try {
    const { left } = await emptyTrashAt(trash);
    for (const path of left) emit({ type: 'warning', message: `cannot remove ${path}, which is left from an earlier removal` });
  } catch (error) {
    emit({ type: 'warning', message: `cannot empty ${trash}: ${(error as Error).message}` });
  }
}
