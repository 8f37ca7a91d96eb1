import type { SkulkError } from '../../kernel/errors.ts';
import { settleTaken } from '../../transfer/trash/empty-trash.ts';
import { clearAbandonedPlaces } from '../ingest/incoming.ts';
import { repairRegistry } from '../records/repair-registry.ts';
import { carryOut, NotExchanged } from './carry-out.ts';
import type { ChangeContext } from './change-context.ts';
import { emptyTrash, removeDrafts } from './clear-leftovers.ts';
import { modelOf, readIntents } from './intents.ts';

/**
 * Finishes what a dead process began, and repairs an unreadable registry. Call it under the lock, before the first change.
 * @param isAlone whether this process is not a server
 */
export async function recover(context: ChangeContext, isAlone: boolean): Promise<void> {
  const { layout, records, world, assertHeld } = context;
  await assertHeld();
  await repairRegistry(layout, records, world);
  for (const intent of await readIntents(layout)) {
    world.emit({
      type: 'note',
      message: `completing an interrupted change: ${intent.op} ${modelOf(intent)}`,
    });
    await carryOut(intent, context).catch((error: unknown) => {
      if (!(error instanceof NotExchanged)) throw error;
      const { message, hint } = error.cause as Partial<SkulkError>;
      world.emit({ type: 'warning', message: `an interrupted change was undone: ${message}`, hint });
    });
  }
  for (const place of await settleTaken(layout))
    world.emit({ type: 'note', message: `restored ${place}, which an interrupted command had moved away` });
  await clearAbandonedPlaces(layout, world.now(), world.emit);
  await removeDrafts(layout, isAlone);
  await emptyTrash(layout, world);
}
