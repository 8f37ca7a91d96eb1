import { isDiskFull, isSystemError } from '../kernel/errors.ts';
import { type EmptiedTrash, emptyTrash, holdsTaken, settleTaken } from '../transfer/trash/empty-trash.ts';
import type { StagingLayout } from './layout.ts';
import { behindGate } from './leases/gate.ts';

/** Brings back the copies that an interrupted command had moved away, if nothing took their places. */
export async function restoreCopies(layout: StagingLayout, signal: AbortSignal): Promise<void> {
  if (!(await holdsTaken(layout.trash))) return;
  // Whoever exchanges copies right now does so behind the gate.
  await behindGate(layout, signal, () => settleTaken(layout)).catch((error: unknown) => {
    // Where nothing can be written nothing is lost either.
    if (!isDiskFull(error) && !isSystemError(error, 'EROFS', 'EACCES', 'EPERM')) throw error;
  });
}

/** Ends what interrupted commands began with copies, and empties the trash. */
export async function sweepTrash(layout: StagingLayout, signal: AbortSignal): Promise<EmptiedTrash> {
  await restoreCopies(layout, signal);
  return emptyTrash(layout.trash);
}
