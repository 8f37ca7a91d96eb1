import { openTokenBook, type TokenBook } from '../access/token-book.ts';
import { storeLayout } from '../store/layout.ts';
import type { Deps } from './deps.ts';
import { openStorePolicy, type StorePolicy } from './store-policy.ts';

/** What says who may do what with a store, as it lies on its disk. */
export interface StoreAdministration {
  readonly tokens: TokenBook;
  readonly policy: StorePolicy;
}

/** The named tokens of the store at `root`. */
export function openTokens({ world }: Pick<Deps, 'world'>, root: string): TokenBook {
  const { tokens: file, tokensLock: lock } = storeLayout(root);
  return openTokenBook({ file, lock, signal: world.signal, now: world.now });
}

/** @throws SkulkError CONFIG for a policy that is broken */
export async function openAdministration(deps: Pick<Deps, 'world'>, root: string): Promise<StoreAdministration> {
  const { emit, signal } = deps.world;
  return { tokens: openTokens(deps, root), policy: await openStorePolicy({ root, emit, signal }) };
}
