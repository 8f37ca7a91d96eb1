import type { OpenedStore } from './open-store.ts';

/**
 * Whether a store is that of the Python program, which does not say which version of skulk it is.
 * @throws SkulkError TOKEN_WITHHELD before anything is sent, when the token may not go to that store; STORE_UNREACHABLE
 */
export async function isPythonHost(opened: OpenedStore): Promise<boolean> {
  opened.requireToken?.();
  return (await opened.store.health()).version === '';
}
