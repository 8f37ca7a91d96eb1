import type { ChangeContext } from './change-context.ts';
import { clearIntent, type Intent } from './intents.ts';
import { enterModel, exchangeFiles } from './publish-steps.ts';
import { removeQuantization } from './remove-quantization.ts';
import { removeModel } from './remove-steps.ts';

/** A model's files could not be moved into place, and nothing was moved. `cause` has the reason. */
export class NotExchanged extends Error {}

/**
 * Finishes a recorded change, and then removes its record. Each step may be repeated.
 * @throws NotExchanged if the change was given up; after any other error the next writer finishes it
 */
export async function carryOut(intent: Intent, context: ChangeContext): Promise<void> {
  const { layout, assertHeld } = context;
  if (intent.op === 'remove') await removeModel(intent, context);
  else if (intent.op === 'remove-quantization') await removeQuantization(intent, context);
  else {
    try {
      await exchangeFiles(intent, context);
    } catch (cause) {
      // The process that has the lock now finishes the change.
      await assertHeld();
      await clearIntent(layout, intent);
      throw new NotExchanged('cannot move the files into place', { cause });
    }
    await enterModel(intent, context);
  }
  await assertHeld();
  await clearIntent(layout, intent);
}
