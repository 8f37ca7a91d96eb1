import type { Deps } from '../connect/deps.ts';
import { type OpenedStore, openStore } from '../connect/open-store.ts';
import { whyOutOfReach } from '../connect/reach-store.ts';
import { isStagedInPlace } from '../connect/resolve-canonical.ts';
import { SkulkError } from '../kernel/errors.ts';
import { reasonOf } from '../kernel/explain-system-error.ts';

/**
 * Sends the store a request that this node can do without.
 * @param onFailure called if the request failed, with the error unless the store is only unreachable, and with what to do then if that is
 * known; then only the signal's reason is thrown
 * @returns undefined if nothing was sent; a node that stages in place has nothing to report
 */
export async function askAsNode<T>(
  deps: Deps,
  ask: (opened: OpenedStore) => Promise<T>,
  onFailure: (reason: string, thrown?: unknown, hint?: string) => void | Promise<void>,
): Promise<T | undefined> {
  const { signal } = deps.world;
  try {
    if (await isStagedInPlace(deps, { offline: true })) return undefined;
    await using opened = await openStore(deps);
    const outOfReach = await whyOutOfReach(deps, opened, 'answer');
    if (outOfReach === undefined) return await ask(opened);
    await onFailure(outOfReach.message, undefined, outOfReach.hint);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    await onFailure(reasonOf(error), error, error instanceof SkulkError ? error.hint : undefined);
  }
  return undefined;
}

/** Whether an error only means that this machine has no store. */
export const isWithoutStore = (error: unknown): boolean => error instanceof SkulkError && error.code === 'STORE_NOT_CONFIGURED';
