import { lstat } from 'node:fs/promises';
import type { ModelId } from '../kernel/model-id.ts';
import { isHeld, tryLock } from '../kernel/process/lock.ts';
import { listBelow } from '../transfer/trash/list-below.ts';
import { removeWorkPlace } from '../transfer/work-place.ts';
import { copyLock, type IncomingCopy, incomingCopy, type StagingLayout } from './layout.ts';

/**
 * Removes the place of a model in `incoming/` in which a killed process left no file of the model. What holds data stays, for the next
 * stage; so does a place with files that skulk did not create, and one in which a process works.
 */
export async function clearEmptyPlace(layout: StagingLayout, modelId: ModelId): Promise<void> {
  const place = incomingCopy(layout, modelId);
  if (!(await isEmptyPlace(place))) return;
  const lock = await tryLock(copyLock(layout, modelId), 'cleaning up');
  if (!isHeld(lock)) return;
  try {
    if (!(await isEmptyPlace(place))) return;
    await lock.assertHeld();
    await removeWorkPlace(place);
  } finally {
    await lock.release();
  }
}

/** Whether there is nothing but directories, and what skulk notes of files that it was about to make. */
async function isEmptyPlace({ path }: IncomingCopy): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  if (info?.isDirectory() !== true) return false;
  return (await listBelow(path)).every(({ path: below, item }) => item.isDirectory() || (item.isFile() && isNote(below)));
}

/** A note, or one that was not finished: `writeFileDurably` gives it its name at the end. */
const isNote = (below: string): boolean =>
  /^(?:names\.json|journal|hub-journal)$/.test(below) || /^\.(?:changes|names)\.json\.[0-9a-f]{12}\.tmp$/.test(below);
