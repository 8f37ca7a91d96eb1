import { SkulkError } from '../kernel/errors.ts';
import type { World } from '../kernel/world.ts';
import type { StoreHealth } from '../protocol/health.ts';
import type { RegistryEntry } from '../protocol/models/entries.ts';
import type { Deps } from './deps.ts';
import { openStore } from './open-store.ts';
import { whyOutOfReach } from './reach-store.ts';
import type { OpenedStore } from './store/opened-store.ts';

/** The stores that have already been named in a warning, for each command. */
const named = new WeakMap<World, Set<string>>();

/**
 * Reads from the store, or from the first second store that answers while the store cannot be reached. A warning names it.
 * @param work may run again with another store; it closes the store
 * @throws SkulkError as `work` does for the store, with the answers of the second stores in the hint
 */
export async function readFromStore<T>(deps: Deps, work: (opened: OpenedStore) => Promise<T>): Promise<T> {
  try {
    const opened = await openStore(deps);
    await refuseSilent(deps, opened);
    return await work(opened);
  } catch (error) {
    return (await readFromSecond(deps, error, work)).value;
  }
}

/** If there are second stores, does not wait longer for a silent store than a command that can do without it. @throws SkulkError */
export async function refuseSilent(deps: Deps, opened: OpenedStore): Promise<void> {
  if (!hasSecond(deps)) return;
  const silent = await whyOutOfReach(deps, opened);
  if (silent !== undefined) throw silent;
}

/**
 * Reads from the first second store that can answer.
 * @param failure the error of the store; unless it means that the store cannot be reached, it is thrown again
 * @throws `failure`, with the answers of the second stores in its hint
 */
export async function readFromSecond<T>(
  deps: Deps,
  failure: unknown,
  work: (opened: OpenedStore) => Promise<T>,
): Promise<{ readonly value: T }> {
  const { world, config } = deps;
  if (world.signal.aborted || !(failure instanceof SkulkError) || !isAway(failure) || !hasSecond(deps)) throw failure;
  const answers: string[] = [];
  for (const url of config.secondStores) {
    try {
      const opened = await openAlone(deps, url, 'SKULK_SECOND_TOKEN');
      await refuseSilent(deps, opened);
      const value = await work(opened);
      await nameOnce(deps, opened, { url, failure });
      return { value };
    } catch (error) {
      if (!(error instanceof SkulkError) || world.signal.aborted) throw error;
      answers.push(error.message.includes(url) ? error.message : `${url}: ${error.message}`);
    }
  }
  const hint = [failure.hint, `second store: ${answers.join('; ')}`].filter((one) => one !== undefined).join('; ');
  throw new SkulkError(failure.code, failure.message, { hint, cause: failure });
}

/** The host of a store has its own disk, and reads nothing from others; its server may have no name for itself. */
export const hasSecond = ({ config, store }: Pick<Deps, 'config' | 'store'>): boolean =>
  config.secondStores.length > 0 && config.settings.enabled.value && !(config.isStoreHost && (config.isStoreNamed || store !== undefined));

/** Whether an error means that the store cannot be reached, or that none was found. */
export const isAway = ({ code }: SkulkError): boolean => code === 'STORE_UNREACHABLE' || code === 'STORE_NOT_CONFIGURED';

/** Another store, as far as it answered. */
export interface OtherStore {
  readonly health: StoreHealth;
  /** Undefined if it does not list them without a token. */
  readonly models: readonly RegistryEntry[] | undefined;
}

/** Asks another store about itself; undefined if no store answers at the URL. It gets only the token in `variable`. */
export async function readOtherStore(
  deps: Deps,
  url: string,
  variable: 'SKULK_SECOND_TOKEN' | 'SKULK_UPSTREAM_TOKEN' = 'SKULK_UPSTREAM_TOKEN',
): Promise<OtherStore | undefined> {
  const { world } = deps;
  const opened = await openAlone(deps, url, variable);
  try {
    if ((await whyOutOfReach(deps, opened)) !== undefined) return undefined;
    const health = await opened.store.health();
    return { health, models: await opened.store.listModels().catch(() => undefined) };
  } catch (error) {
    if (world.signal.aborted || !(error instanceof SkulkError)) throw error;
    return undefined;
  }
}

/** Opens a store that is not this machine's own: it gets neither its node id nor its token, only the token in `variable`. */
async function openAlone(deps: Deps, url: string, variable: 'SKULK_SECOND_TOKEN' | 'SKULK_UPSTREAM_TOKEN'): Promise<OpenedStore> {
  const { world, config } = deps;
  const storeUrl = { value: url, origin: { from: 'environment', name: 'SKULK_STORE' } } as const;
  const token = { value: world.env[variable]?.trim() || undefined, origin: { from: 'environment', name: variable } } as const;
  const settings = { ...config.settings, storeUrl, token };
  const { openOverHttp } = await import('./store/store-over-http.ts');
  const alone = { ...config, nodeId: undefined, isStoreHost: false, isStoreNamed: true, settings };
  const opened = await openOverHttp({ ...deps, config: alone }, url, { withKey: false });
  // Its other nodes may be at another site.
  const { swarm: _, ...store } = opened.store;
  return { ...opened, store };
}

/** Warns once in a command which store answers, and what is impossible meanwhile. */
async function nameOnce(
  { world }: Deps,
  { store }: OpenedStore,
  { url, failure }: { readonly url: string; readonly failure: SkulkError },
): Promise<void> {
  const known = named.get(world) ?? new Set();
  if (known.has(url)) return;
  named.set(world, known.add(url));
  const replaces = await store.health().then(
    (health) => health.replaces,
    () => null,
  );
  world.emit({
    type: 'warning',
    message: `${failure.message}; reading from the second store ${url}`,
    hint:
      replaces === null
        ? 'models cannot be added, downloaded, deleted or ordered until the store answers, and the second store may be older'
        : `${url} was promoted instead of ${replaces}: if that is your store, set store_host or SKULK_STORE to it`,
  });
}
