import { isDiskFull, isSystemError } from '../kernel/errors.ts';
import { type EmptiedTrash, emptyTrash, holdsTaken, settleTaken } from '../transfer/trash/empty-trash.ts';
import { listChanging, settleChanges } from './groups/change-journal.ts';
import type { StagingLayout } from './layout.ts';
import { behindGate } from './leases/gate.ts';

/** Brings back the copies that an interrupted command had moved away, if nothing took their places, and finishes changes within a copy. */
export async function restoreCopies(layout: StagingLayout, signal: AbortSignal): Promise<void> {
  if (!(await holdsTaken(layout.trash)) && (await listChanging(layout)).length === 0) return;
  // Whoever exchanges or changes copies right now does so behind the gate.
  await behindGate(layout, signal, async () => {
    await settleTaken(layout);
    for (const modelId of await listChanging(layout)) await settleChanges(layout, modelId);
  }).catch((error: unknown) => {
    // Where nothing can be written nothing is lost either.
    if (!isDiskFull(error) && !isSystemError(error, 'EROFS', 'EACCES', 'EPERM')) throw error;
  });
}

/** Ends what interrupted commands began with copies, and empties the trash. */
export async function sweepTrash(layout: StagingLayout, signal: AbortSignal): Promise<EmptiedTrash> {
  await restoreCopies(layout, signal);
  return emptyTrash(layout.trash);
}
