import { openTokenBook, type TokenBook, type TokensChange } from '../../access/token-book.ts';
import type { Deps } from '../../connect/deps.ts';
import type { NamedToken } from '../../protocol/access.ts';
import { storeLayout } from '../../store/layout.ts';
import { openStorePolicy, type StorePolicy } from './store-policy.ts';

/** What says who may do what with a store, as it lies on its disk. */
export interface StoreAdministration {
  readonly tokens: TokenBook;
  readonly policy: StorePolicy;
}

/** How often what a command may have changed on the disk is looked at when nobody asks, in milliseconds. */
const lookEveryMs = 2_000;

/** The named tokens of the store at `root`. */
export function openTokens({ world }: Pick<Deps, 'world'>, root: string, onChange?: (change: TokensChange) => void): TokenBook {
  const { tokens: file, tokensLock: lock } = storeLayout(root);
  return openTokenBook({ file, lock, signal: world.signal, now: world.now, ...(onChange !== undefined && { onChange }) });
}

/**
 * For a server: what commands change on the disk, which no request tells of, is told.
 * @throws SkulkError CONFIG for a policy that is broken
 */
export async function openAdministration(deps: Pick<Deps, 'world'>, root: string): Promise<StoreAdministration> {
  const { emit, signal } = deps.world;
  const tokens = openTokens(deps, root, (change) => emit({ type: 'note', message: `the tokens have changed: ${describeChange(change)}` }));
  return { tokens, policy: await openStorePolicy({ root, emit, signal }) };
}

/** Looks now and then again and again, as a change may come while nobody asks. @returns what ends it */
export async function followAdministration({ tokens, policy }: StoreAdministration): Promise<() => Promise<void>> {
  // What is there at the start is no change. That the file is damaged hears whoever shows a token.
  await tokens.list().catch(() => undefined);
  let isLooking = false;
  const timer = setInterval(() => {
    // A disk that hangs must not collect looks.
    if (isLooking) return;
    isLooking = true;
    void Promise.allSettled([tokens.list(), policy.current()]).then(() => {
      isLooking = false;
    });
  }, lookEveryMs);
  timer.unref();
  return async () => clearInterval(timer);
}

function describeChange({ created, revoked }: TokensChange): string {
  const name = (what: string) => (token: NamedToken) => `${token.name} (${token.role}) ${what}`;
  return [...revoked.map(name('revoked')), ...created.map(name('created'))].join(', ');
}
