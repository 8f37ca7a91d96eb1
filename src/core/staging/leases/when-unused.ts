import { isDiskFull, SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { describeHolders } from '../../protocol/holder.ts';
import type { GroupFiles } from '../groups/copy-groups.ts';
import type { StagingLayout } from '../layout.ts';
import { behindGate } from './gate.ts';
import { holdersOf } from './holders.ts';
import { readLiveLeases } from './lease.ts';

/**
 * Changes or removes a model's canonical files while no process of this machine uses them in place.
 * @param group the quantization to change, if it is only one: uses of others do not matter
 * @throws SkulkError CONFLICT with the processes that use them
 */
export async function whenUnused<T>(
  layout: StagingLayout,
  {
    modelId,
    group,
    now,
    signal,
  }: { readonly modelId: ModelId; readonly group?: GroupFiles | undefined; readonly now: Date; readonly signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const refuse = async (): Promise<void> => {
    const holders = holdersOf(await readLiveLeases(layout, now), modelId, group);
    if (holders.length === 0) return;
    throw new SkulkError('CONFLICT', `${modelId} is in use on the store host by ${describeHolders(holders)}`, {
      hint: 'wait until that has ended; `skulk delete --force` does not wait',
    });
  };
  let hasBegun = false;
  try {
    return await behindGate(layout, signal, async () => {
      await refuse();
      hasBegun = true;
      return await work();
    });
  } catch (error) {
    // On a full disk no lease can be taken either.
    if (hasBegun || !isDiskFull(error)) throw error;
    await refuse();
    return await work();
  }
}
