import { openTokenBook, type TokenBook, type TokensChange } from '../../access/token-book.ts';
import type { Deps } from '../../connect/deps.ts';
import type { NamedToken } from '../../protocol/access.ts';
import { storeLayout } from '../../store/layout.ts';
import { openStorePolicy, type StorePolicy } from './store-policy.ts';

/** The tokens and the policy of a store, as files on its disk. */
export interface StoreAdministration {
  readonly tokens: TokenBook;
  readonly policy: StorePolicy;
}

/** How often these files are read without a request, in milliseconds, because commands may change them. */
const pollEveryMs = 2_000;

/** The named tokens of the store at `root`. */
export function openTokens({ world }: Pick<Deps, 'world'>, root: string, onChange?: (change: TokensChange) => void): TokenBook {
  const { tokens: file, tokensLock: lock } = storeLayout(root);
  return openTokenBook({ file, lock, signal: world.signal, now: world.now, ...(onChange !== undefined && { onChange }) });
}

/**
 * For a server: reports changes that commands make on the disk without a request.
 * @throws SkulkError CONFIG for a broken policy
 */
export async function openAdministration(deps: Pick<Deps, 'world'>, root: string): Promise<StoreAdministration> {
  const { emit, signal } = deps.world;
  const tokens = openTokens(deps, root, (change) => emit({ type: 'note', message: `the tokens have changed: ${describeChange(change)}` }));
  return { tokens, policy: await openStorePolicy({ root, emit, signal }) };
}

/** Reads the files now and at intervals, because a change may come without a request. @returns a function that stops it */
export async function followAdministration({ tokens, policy }: StoreAdministration): Promise<() => Promise<void>> {
  // The initial state is not a change. A damaged file is reported to requests with a token.
  await tokens.list().catch(() => undefined);
  let isLooking = false;
  const timer = setInterval(() => {
    // Reads must not pile up on a disk that hangs.
    if (isLooking) return;
    isLooking = true;
    void Promise.allSettled([tokens.list(), policy.current()]).then(() => {
      isLooking = false;
    });
  }, pollEveryMs);
  timer.unref();
  return async () => clearInterval(timer);
}

function describeChange({ created, revoked }: TokensChange): string {
  const name = (what: string) => (token: NamedToken) => `${token.name} (${token.role}) ${what}`;
  return [...revoked.map(name('revoked')), ...created.map(name('created'))].join(', ');
}
