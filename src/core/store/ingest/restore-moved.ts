import { join } from 'node:path';
import { SkulkError } from '../../kernel/errors.ts';
import { namesIn, statIfPresent } from '../../kernel/files/if-present.ts';
import { quoteSome } from '../../kernel/files/relative-path.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import { type ModelId, modelIdOfDirectory } from '../../kernel/model-id.ts';
import { lifeOf } from '../../kernel/process/process-identity.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';
import { abandonPlace, claimPlace, readOwner } from './incoming.ts';

/**
 * Moves the files of a directory back that an earlier `add --move` took away before it was killed. Without them, the
 * directory would look empty, or the rest of its files like the whole model.
 * @throws SkulkError CONFLICT while another process moves them, while the store has yet to finish their change, and if they cannot be moved
 * back from here
 */
export async function restoreMoved(layout: StoreLayout, origin: string, emit: Emit): Promise<void> {
  // A user who may not read there has moved nothing there. `add` reports a disk that fails.
  for (const name of await namesIn(layout.incoming).catch(() => [])) {
    const modelId = /\.[0-9a-f]{16}$/.test(name) ? modelIdOfDirectory(name.slice(0, -17)) : undefined;
    if (modelId === undefined) continue;
    const path = join(layout.incoming, name);
    const owner = await readOwner(path);
    if (owner?.moved_from !== origin) continue;
    if ((await lifeOf(owner)) !== 'dead')
      throw new SkulkError('CONFLICT', `another process is moving the files of ${origin} to ${path}`, {
        hint: 'wait until it ends; if it was killed, the next change of the store moves them back',
      });
    // From here on, recovery needs the files where they are.
    if ((await statIfPresent(jsonFileOf(layout.intents, modelId))) !== undefined)
      throw new SkulkError(
        'CONFLICT',
        `an interrupted command moved the files of ${origin} into the store, and its change is not finished`,
        {
          hint: 'the next change of the store, or the start of `skulk serve`, completes it; then `skulk registry` lists the model',
        },
      );
    const renamed = await bringBack(layout, { name, modelId, path, origin });
    emit({
      type: 'warning',
      message: `an interrupted command was undone: its moved files are back in ${origin}`,
      ...(renamed.length > 0 && { hint: `other files now have their names, so they were renamed: ${quoteSome(renamed)}` }),
    });
  }
}

async function bringBack(
  layout: StoreLayout,
  { name, modelId, path, origin }: { readonly name: string; readonly modelId: ModelId; readonly path: string; readonly origin: string },
): Promise<readonly string[]> {
  try {
    // A server may do the same now. Only one process takes it over.
    return await abandonPlace((await claimPlace(layout, name, modelId)).path);
  } catch (cause) {
    throw new SkulkError('CONFLICT', `an interrupted command moved the files of ${origin} to ${path}, and they cannot be moved back now`, {
      hint: 'the next change of the store moves them back; then run the command again',
      cause,
    });
  }
}
