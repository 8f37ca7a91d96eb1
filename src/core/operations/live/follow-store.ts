import type { Deps } from '../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../connect/open-store.ts';
import { remoteUrl } from '../../connect/remote-url.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { backoffDelay, pause, type RetryPolicy } from '../../kernel/flow/backoff.ts';
import { type Connection, type Follow, toLostConnection } from '../../kernel/flow/follow.ts';
import type { DownloadStatus } from '../../protocol/downloads.ts';
import type { GivenOrder, KnownNode } from '../../protocol/fleet.ts';
import type { StoreHealth } from '../../protocol/health.ts';
import type { CountedEntry, DescribedEntry } from '../../protocol/models/entries.ts';
import type { OptimizationStatus } from '../../protocol/optimizations.ts';

/** All data of a store that a screen shows. Null means not known yet. */
export interface StoreView {
  /** A URL, or the path of a store on this disk. */
  readonly location: string;
  readonly connection: Connection;
  readonly health: StoreHealth | null;
  /** By id. */
  readonly models: readonly CountedEntry[] | null;
  /** Running and waiting ones first, then finished ones. */
  readonly downloads: readonly DownloadStatus[] | null;
  /** In the same order. */
  readonly optimizations: readonly OptimizationStatus[] | null;
  readonly nodes: readonly KnownNode[] | null;
  /** Orders that some node has not carried out yet. */
  readonly orders: readonly GivenOrder[] | null;
}

/** How often a store without events is polled, in milliseconds. */
const askEveryMs = 2_000;
/** After this many polls, events are tried again, because the store may have been upgraded. */
const maxRounds = 30;
const reopening: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, firstDelayMs: 250, maxDelayMs: 5_000 };

/**
 * Returns deps that always use the store found now, so that the view and the actions use the same one.
 * @throws SkulkError STORE_NOT_CONFIGURED, CONFIG
 */
export async function pinStore(deps: Deps): Promise<Deps> {
  await using opened = await openStore(deps);
  if (opened.url === undefined || opened.localRoot !== undefined || remoteUrl(deps.config) !== undefined) return deps;
  const storeUrl = { value: opened.url, origin: { from: 'default' } } as const;
  return { ...deps, config: { ...deps.config, settings: { ...deps.config.settings, storeUrl } } };
}

/**
 * Follows a store by its stream of events, or by polling. Waits for it to come back when it disappears.
 * @param isPatient whether to also wait for a store that is not there at first; otherwise that rejects with STORE_UNREACHABLE
 */
export const followStore = (deps: Deps, { isPatient }: { readonly isPatient: boolean }): Follow<StoreView> => {
  const start: StoreView = {
    location: remoteUrl(deps.config) ?? deps.config.settings.storePath.value,
    connection: { state: 'connecting' },
    health: null,
    models: null,
    downloads: null,
    optimizations: null,
    nodes: null,
    orders: null,
  };
  return async (report, signal) => {
    let view = start;
    let wasThere = false;
    let attempt = 0;
    const change = (changes: Partial<StoreView>): void => {
      view = { ...view, ...changes };
      if (view.connection.state === 'live' || view.connection.state === 'asking') [wasThere, attempt] = [true, 0];
      report(view);
    };
    const lose = (error: unknown): void => {
      if (signal.aborted || !(error instanceof SkulkError) || !(wasThere || (isPatient && error.code === 'STORE_UNREACHABLE'))) throw error;
      change({ connection: toLostConnection(error) });
    };
    change({});
    while (!signal.aborted) {
      try {
        await using opened = await openStore(deps);
        change({ location: opened.store.location });
        await followOpened(deps, opened, { change, lose, signal });
      } catch (error) {
        if (signal.aborted) return;
        lose(error);
      }
      attempt += 1;
      await pause(backoffDelay(reopening, Math.min(attempt, 10)), signal).catch(() => undefined);
    }
  };
};

interface Following {
  readonly change: (changes: Partial<StoreView>) => void;
  /** Reports a lost connection; throws the error if it is final. */
  readonly lose: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Returns when the store should be located again. */
async function followOpened(deps: Deps, opened: OpenedStore, following: Following): Promise<void> {
  if (opened.news === undefined)
    return await askAgainAndAgain(deps, opened, 'no server is running here, so the disk is read every 2 s', following);
  try {
    await followNews(opened.news, opened.localRoot !== undefined, following);
  } catch (error) {
    if (!(error instanceof SkulkError) || (error.code !== 'NOT_FOUND' && error.code !== 'STORE_BUSY')) throw error;
    const because = error.code === 'NOT_FOUND' ? 'this store does not report changes' : error.message;
    await askAgainAndAgain(deps, opened, `${because}, so it is polled every 2 s`, following);
  }
}

/** @param isOnThisDisk whether the store can be read without its server after that has ended */
async function followNews(
  news: NonNullable<OpenedStore['news']>,
  isOnThisDisk: boolean,
  { change, lose, signal }: Following,
): Promise<void> {
  const connection = new AbortController();
  try {
    for await (const { kind, ...topics } of news(AbortSignal.any([signal, connection.signal]))) {
      if (kind === 'live') change({ connection: { state: 'live' } });
      else if ('error' in topics) {
        lose(topics.error);
        if (isOnThisDisk) return;
      } else if ('entries' in topics) change({ models: topics.entries });
      else change(topics);
    }
  } finally {
    connection.abort();
  }
}

async function askAgainAndAgain(deps: Deps, opened: OpenedStore, because: string, { change, signal }: Following): Promise<void> {
  let before = '';
  for (let round = 0; round < maxRounds; round += 1) {
    const known = await readAll(deps, opened);
    // A server has taken over the store, or has released it.
    if (known === undefined) return;
    const now = JSON.stringify(known);
    if (now !== before) change({ ...known, connection: { state: 'asking', because } });
    before = now;
    await pause(askEveryMs, signal);
  }
}

/** Undefined if the store must be reached another way by now. */
async function readAll(deps: Deps, { store, url }: OpenedStore): Promise<Omit<StoreView, 'location' | 'connection'> | undefined> {
  // An open store caches descriptions of its models. A new instance also sees what other processes changed on the disk.
  await using now = await openStore(deps);
  if (now.url !== url) return undefined;
  const fleet = await now.fleet();
  const [models, downloads, optimizations, nodes, orders, health] = await Promise.all([
    store.listDescribed(),
    now.downloads().then((known) => known.list({ recent: true })),
    now
      .optimizations()
      .then((known) => known.list({ recent: true }))
      .catch(orNone),
    fleet.nodes().catch(orNone),
    fleet.pendingOrders().catch(orNone),
    store.health(),
  ]);
  const byId = models.map(counted).toSorted((a, b) => a.model_id.localeCompare(b.model_id, 'en'));
  return { models: byId, downloads, optimizations, nodes, orders, health };
}

const counted = ({ files, ...entry }: DescribedEntry): CountedEntry => ({ ...entry, file_count: files.length });

/** The Python program has no nodes, no orders, and no list of optimizations. Other errors show up in the other lists. */
const orNone = (error: unknown): [] => {
  if (error instanceof SkulkError) return [];
  throw error;
};
