import { isDiskFull, isSystemError } from '../kernel/errors.ts';
import { type EmptiedTrash, emptyTrash, holdsTaken, settleTaken } from '../transfer/trash/empty-trash.ts';
import { listChanging, settleChanges } from './groups/change-journal.ts';
import type { StagingLayout } from './layout.ts';
import { behindGate } from './leases/gate.ts';

/**
 * Restores copies that an interrupted command had moved away, if nothing has replaced them. Also finishes interrupted changes within a
 * copy.
 */
export async function restoreCopies(layout: StagingLayout, signal: AbortSignal): Promise<void> {
  if (!(await holdsTaken(layout.trash)) && (await listChanging(layout)).length === 0) return;
  // Copies are only replaced or changed behind the gate.
  await behindGate(layout, signal, async () => {
    await settleTaken(layout);
    for (const modelId of await listChanging(layout)) await settleChanges(layout, modelId);
  }).catch((error: unknown) => {
    // On a disk that cannot be written, nothing gets lost either.
    if (!isDiskFull(error) && !isSystemError(error, 'EROFS', 'EACCES', 'EPERM')) throw error;
  });
}

/** Finishes the interrupted work of other commands on copies, and empties the trash. */
export async function sweepTrash(layout: StagingLayout, signal: AbortSignal): Promise<EmptiedTrash> {
  await restoreCopies(layout, signal);
  return emptyTrash(layout.trash);
}
