import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';
import { emptyTrash as emptyTrashAt } from '../../transfer/trash/empty-trash.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';

/**
 * Removes files that a dead process was writing.
 * @param isAlone whether this process is not a server; a server's fleet writes at the same time, and cleans up its own files
 */
export async function removeDrafts(layout: StoreLayout, isAlone: boolean): Promise<void> {
  const { root, manifests, seen, intents, headers, problems, fleet } = layout;
  // Every file in these directories is written under the lock, except the caches: who loses a draft there reads the model again.
  for (const directory of [root, manifests, seen, intents, headers, problems, ...(isAlone ? [fleet] : [])]) {
    const names = await readdir(directory).catch((): string[] => []);
    for (const name of names.filter((one) => /^\..+\.(?:nd)?json\.[0-9a-f]{12}\.tmp$/.test(one)))
      await rm(join(directory, name), { force: true });
  }
}

/** Removes what the caches have of a deleted model. What cannot be removed is harmless. */
export async function clearCaches({ facts, headers, problems }: StoreLayout, modelId: ModelId): Promise<void> {
  for (const directory of [facts, headers, problems]) await rm(jsonFileOf(directory, modelId), { force: true }).catch(() => undefined);
}

/** Empties a store's trash. Items that cannot be removed now are retried before the next change. */
export async function emptyTrash({ trash }: StoreLayout, { emit }: World): Promise<void> {
  try {
    const { left } = await emptyTrashAt(trash);
    for (const path of left) emit({ type: 'warning', message: `cannot remove ${path}, which is left from an earlier removal` });
  } catch (error) {
    emit({ type: 'warning', message: describeFailure(`cannot empty ${trash}`, error) });
  }
}
