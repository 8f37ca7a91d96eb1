import type { World } from '../../kernel/world.ts';
import type { Deps } from '../deps.ts';

/**
 * Which store to search for: the one that this machine itself announces, or the only one on the LAN or at the usual port of this machine.
 */
type Wanted = 'own server' | 'any store';

/** How long a command caches the result of a search, in milliseconds; `run` may last for days. */
const rememberedMs = 600_000;

interface Found {
  readonly url: Promise<string | undefined>;
  /** By the monotonic clock. */
  readonly until: number;
}

/** The results of each command. */
const found = new WeakMap<World, Map<Wanted, Found>>();

/**
 * The URL of a store that is not configured, searched for once per command: listening takes most of a second.
 * @returns undefined if there is none
 * @throws SkulkError STORE_AMBIGUOUS
 */
export function discoverOnce(deps: Deps, wanted: Wanted): Promise<string | undefined> {
  const known = found.get(deps.world) ?? new Map<Wanted, Found>();
  found.set(deps.world, known);
  const before = known.get(wanted);
  if (before !== undefined && before.until > performance.now()) return before.url;
  const url = wanted === 'own server' ? findOwnServer(deps) : findAnyStore(deps);
  known.set(wanted, { url, until: performance.now() + rememberedMs });
  return url;
}

/** The store that this machine itself announces, if it serves another directory than the configured one. */
async function findOwnServer(deps: Deps): Promise<string | undefined> {
  const { nodeId } = deps.config;
  if (nodeId === undefined) return undefined;
  const { findOwnStore } = await import('../discover.ts');
  return findOwnStore(deps, nodeId);
}

/** The only store that announces itself; else one on this machine. */
async function findAnyStore(deps: Deps): Promise<string | undefined> {
  const { findOnlyStore } = await import('../discover.ts');
  return (await findOnlyStore(deps)) ?? findOnThisMachine(deps);
}

/** A server with other settings, at the usual port of this machine. */
async function findOnThisMachine(deps: Deps): Promise<string | undefined> {
  const { mayDiscover } = await import('../may-use-mdns.ts');
  if (!mayDiscover(deps)) return undefined;
  const url = `http://127.0.0.1:${deps.config.settings.storePort.value}`;
  const { openOverHttp } = await import('./store-over-http.ts');
  await using opened = await openOverHttp(deps, url);
  if ((await opened.probe?.(250)) !== 'connected') return undefined;
  return opened.store.health().then(
    () => url,
    () => undefined,
  );
}
