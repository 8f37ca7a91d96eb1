import type { OpenedStore } from './open-store.ts';

/**
 * Whether a store is the Python program, which does not report a version of skulk.
 * @throws SkulkError TOKEN_WITHHELD before anything is sent, if the token may not be sent to that store; STORE_UNREACHABLE
 */
export async function isPythonHost(opened: OpenedStore): Promise<boolean> {
  opened.requireToken?.();
  return (await opened.store.health()).version === '';
}
