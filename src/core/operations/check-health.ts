import type { StoreHealth } from '../store/contract.ts';
import type { Deps } from './deps.ts';
import { openStore } from './open-store.ts';

/** How the store is, as seen from this machine; sizes in bytes. */
export interface Health extends StoreHealth {
  readonly configured: true;
  readonly reachable: true;
  /** The path or the URL at which it was asked. */
  readonly location: string;
}

/** @throws SkulkError STORE_NOT_CONFIGURED, STORE_UNREACHABLE */
export async function checkHealth(deps: Deps): Promise<Health> {
  await using opened = await openStore(deps);
  // Health itself is open to everybody; a token that is refused must show here and not at the next command.
  await opened.store.listModels();
  return { configured: true, reachable: true, location: opened.store.location, ...(await opened.store.health()) };
}
