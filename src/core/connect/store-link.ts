import type { Forwarder, ShortAnswer } from '../client/http/forward.ts';
import type { SessionAnswer } from '../client/session-client.ts';
import type { Fleet } from '../fleet/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import { pause } from '../kernel/flow/backoff.ts';
import type { Deps } from './deps.ts';
import { findOnlyStore } from './discover.ts';
import { guardToken } from './guard-token.ts';
import { openStore } from './open-store.ts';
import { remoteUrl } from './remote-url.ts';
import { findByName } from './store/store-over-http.ts';

/** The connection of a serving node to its store, which may be found or started after the node. */
export interface StoreLink {
  /** The URL of the store, if it is known. */
  readonly url: () => string | undefined;
  /** The dependencies for operations on the store. Throws STORE_NOT_CONFIGURED while no store is known. */
  readonly deps: () => Promise<Deps>;
  /** Waits until a store is known; rejects with the signal's reason. */
  readonly fleet: (signal: AbortSignal) => Promise<Fleet>;
  /** Whether the store has an API for forwarded requests; the Python Skulk has none. Throws STORE_UNREACHABLE. */
  readonly mayForward: () => Promise<boolean>;
  readonly forward: Forwarder['forward'];
  /** See `Forwarder.ask`. @param authorization `own` sends the token of this machine, if it may be sent to this store */
  readonly ask: (
    target: string,
    options: Omit<Parameters<Forwarder['ask']>[1], 'authorization'> & {
      readonly authorization: { readonly shown?: string | undefined } | 'own';
    },
  ) => Promise<ShortAnswer>;
  /** The store's answer about the rights of a token, or of a client without one. Throws STORE_NOT_CONFIGURED, STORE_UNREACHABLE. */
  readonly session: (bearer: string | undefined) => Promise<SessionAnswer>;
  readonly close: () => Promise<void>;
}

/** The minimum time between two searches of the LAN for an unknown store, in milliseconds. */
const askEveryMs = 5_000;
/** An answer may wait a minute for the nodes. */
const silenceMs = 90_000;
const connectTimeoutMs = 5_000;

/** @param mdns whether to search for a store */
export function createStoreLink(given: Deps, { mdns }: { readonly mdns: boolean }): StoreLink {
  const { world } = given;
  let asked = Number.NEGATIVE_INFINITY;
  let locating: Promise<Deps> | undefined;
  let opened: Promise<Opened> | undefined;
  let speaksApi = false;
  let url = remoteUrl(given.config);

  const locate = async (): Promise<Deps> => {
    if (!given.config.settings.enabled.value || remoteUrl(given.config) !== undefined || given.config.isStoreNamed || !mdns) return given;
    if (performance.now() - asked < askEveryMs) return given;
    asked = performance.now();
    url = await findOnlyStore(given);
    if (url === undefined) return given;
    world.emit({ type: 'note', message: `this node uses the store ${url}` });
    const storeUrl = { value: url, origin: { from: 'default' } } as const;
    const config = { ...given.config, settings: { ...given.config.settings, storeUrl } };
    const { withheld } = guardToken(config, url);
    if (config.settings.token.value !== undefined && withheld !== undefined)
      world.emit({ type: 'warning', message: withheld.message, hint: withheld.hint });
    return { ...given, config };
  };
  const known = async (): Promise<Deps> => {
    locating ??= locate();
    const deps = await locating.finally(() => {
      locating = undefined;
    });
    if (!deps.config.settings.enabled.value)
      throw new SkulkError('STORE_NOT_CONFIGURED', 'the store is disabled (model_store.enabled is false)', {
        hint: `set model_store.enabled to true in ${deps.config.file ?? 'the configuration of this node'}, and restart \`skulk serve\``,
      });
    if (remoteUrl(deps.config) !== undefined) return deps;
    throw new SkulkError('STORE_NOT_CONFIGURED', 'no store is configured for this node, and none was found by mDNS', {
      hint: 'set store_host in skulk.yaml, or SKULK_STORE=http://HOST:58080, and restart `skulk serve`',
    });
  };
  const open = (): Promise<Opened> => {
    opened ??= known()
      .then((deps) => openFor(deps))
      .catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
    return opened;
  };
  return {
    url: () => url,
    deps: async () => (await open()).deps,
    fleet: async (signal) => {
      for (;;) {
        signal.throwIfAborted();
        const found = await open().catch((error: unknown) => {
          if (!(error instanceof SkulkError)) throw error;
          return undefined;
        });
        if (found?.deps.fleet !== undefined) return found.deps.fleet;
        await pause(askEveryMs, signal);
      }
    },
    mayForward: async () => {
      speaksApi ||= (await (await open()).health()).version !== '';
      return speaksApi;
    },
    forward: async (...request) => (await open()).forward(...request),
    ask: async (...request) => (await open()).ask(...request),
    session: async (bearer) => (await open()).session(bearer),
    close: async () => {
      const last = await opened?.catch(() => undefined);
      await last?.close();
    },
  };
}

interface Opened {
  readonly deps: Deps;
  readonly health: () => Promise<{ readonly version: string }>;
  readonly forward: StoreLink['forward'];
  readonly ask: StoreLink['ask'];
  readonly session: StoreLink['session'];
  readonly close: () => Promise<void>;
}

async function openFor(deps: Deps): Promise<Opened> {
  const [store, { createForwarder }, { lookupOfStore }, { askSession }] = await Promise.all([
    openStore(deps, { withKey: false }),
    import('../client/http/forward.ts'),
    import('../client/http/lookup-of-store.ts'),
    import('../client/session-client.ts'),
  ]);
  const { signal, version } = deps.world;
  const url = store.url ?? '';
  const userAgent = `skulk/${version}`;
  const guard = guardToken(deps.config, url);
  const how = { url, signal, userAgent, findByName: findByName(deps) };
  const lookup = {
    open: lookupOfStore({ ...how, carriesToken: false }),
    withToken: lookupOfStore({ ...how, carriesToken: true, guard }),
  };
  const { withheld } = guard;
  const token = deps.config.settings.token.value;
  const own = token === undefined || withheld !== undefined ? undefined : `Bearer ${token}`;
  const forwarder = createForwarder({ url, withheld, lookup, connectTimeoutMs, silenceMs });
  return {
    deps: { ...deps, store: store.store, downloads: await store.downloads(), fleet: await store.fleet() },
    health: () => store.store.health(),
    forward: forwarder.forward,
    ask: (target, { authorization, ...options }) =>
      forwarder.ask(target, { ...options, authorization: authorization === 'own' ? own : authorization.shown }),
    session: async (bearer) => {
      if (bearer === undefined) return askSession({ url, signal, userAgent, lookup: lookup.open, bearer });
      if (withheld !== undefined) throw withheld;
      return askSession({ url, signal, userAgent, lookup: lookup.withToken, bearer });
    },
    close: async () => {
      forwarder.close();
      await store[Symbol.asyncDispose]();
    },
  };
}
