import type { Deps } from '../connect/deps.ts';
import { type OpenedStore, openStore } from '../connect/open-store.ts';
import { whyOutOfReach } from '../connect/reach-store.ts';
import { isStagedInPlace } from '../connect/resolve-canonical.ts';
import { SkulkError } from '../kernel/errors.ts';

/**
 * Asks the store something that this node can do without.
 * @param onFailure called when the store cannot be asked, with what was thrown unless it is only out of reach; nothing is thrown then but
 * the signal's reason
 * @returns undefined when nothing was asked; a node that stages in place has nothing to say to its store
 */
export async function askAsNode<T>(
  deps: Deps,
  ask: (opened: OpenedStore) => Promise<T>,
  onFailure: (reason: string, thrown?: unknown) => void,
): Promise<T | undefined> {
  const { signal } = deps.world;
  try {
    if (await isStagedInPlace(deps, { offline: true })) return undefined;
    await using opened = await openStore(deps);
    const outOfReach = await whyOutOfReach(deps, opened, 'answer');
    if (outOfReach === undefined) return await ask(opened);
    onFailure(outOfReach.message);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    onFailure(error instanceof Error ? error.message : String(error), error);
  }
  return undefined;
}

/** Whether a failure only means that this machine has no store. */
export const isWithoutStore = (error: unknown): boolean => error instanceof SkulkError && error.code === 'STORE_NOT_CONFIGURED';
