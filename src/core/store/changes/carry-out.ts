import type { ChangeContext } from './change-context.ts';
import { clearIntent, type Intent } from './intents.ts';
import { enterModel, exchangeFiles } from './publish-steps.ts';
import { removeQuantization } from './remove-quantization.ts';
import { removeModel } from './remove-steps.ts';

/** The files of a model could not be put into their place; all lies where it was. `cause` says why. */
export class NotExchanged extends Error {}

/**
 * Carries a change that is written down out to its end, and strikes it off. Each step may be done twice.
 * @throws NotExchanged when it was given up; any other error leaves it to the next writer
 */
export async function carryOut(intent: Intent, context: ChangeContext): Promise<void> {
  const { layout, assertHeld } = context;
  if (intent.op === 'remove') await removeModel(intent, context);
  else if (intent.op === 'remove-quantization') await removeQuantization(intent, context);
  else {
    try {
      await exchangeFiles(intent, context);
    } catch (cause) {
      // Whoever has the lock by now carries it out.
      await assertHeld();
      await clearIntent(layout, intent);
      throw new NotExchanged('cannot move the files into place', { cause });
    }
    await enterModel(intent, context);
  }
  await assertHeld();
  await clearIntent(layout, intent);
}
