import { lstat } from 'node:fs/promises';
import type { ModelId } from '../kernel/model-id.ts';
import { isHeld, tryLock } from '../kernel/process/lock.ts';
import { listBelow } from '../transfer/trash/list-below.ts';
import { removeWorkPlace } from '../transfer/work-place.ts';
import { copyLock, type IncomingCopy, incomingCopy, type StagingLayout } from './layout.ts';

/**
 * Removes a model's directory in `incoming/` if a killed process left no model file in it. A directory with data stays for the next
 * stage. A directory that a process works in, or with files that skulk did not create, stays too.
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

/** Whether a directory contains only directories, and skulk's records of files it was about to create. */
async function isEmptyPlace({ path }: IncomingCopy): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  if (info?.isDirectory() !== true) return false;
  return (await listBelow(path)).every(({ path: below, item }) => item.isDirectory() || (item.isFile() && isNote(below)));
}

/** A record, or an unfinished one: `writeFileDurably` renames it at the end. */
const isNote = (below: string): boolean =>
  /^(?:names\.json|journal|hub-journal)$/.test(below) || /^\.(?:changes|names)\.json\.[0-9a-f]{12}\.tmp$/.test(below);
