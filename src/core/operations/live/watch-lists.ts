import type { Deps } from '../../connect/deps.ts';
import { pause } from '../../kernel/flow/backoff.ts';
import type { Connection, Follow } from '../../kernel/flow/follow.ts';
import { storeAddress } from '../../protocol/describe/store-address.ts';
import type { DownloadStatus } from '../../protocol/downloads.ts';
import type { GivenOrder, KnownNode } from '../../protocol/fleet.ts';
import type { OptimizationStatus } from '../../protocol/optimizations.ts';
import { listSwarms, type Swarm } from '../nodes/nodes.ts';
import { followStore, pinStore, type StoreView } from './follow-store.ts';

/** Lists that can be watched separately. Null means not known yet. */
export interface WatchedLists {
  readonly downloads: { readonly connection: Connection; readonly downloads: readonly DownloadStatus[] | null };
  readonly optimizations: { readonly connection: Connection; readonly optimizations: readonly OptimizationStatus[] | null };
  readonly nodes: {
    readonly connection: Connection;
    readonly nodes: readonly KnownNode[] | null;
    readonly orders: readonly GivenOrder[] | null;
    /** The models that nodes share now. */
    readonly swarms: readonly Swarm[];
    /** The address of the store host, which has none in the list; see `storeAddress`. */
    readonly storeAddress: string | null;
  };
}

/** Follows the store's downloads. Rejects with STORE_UNREACHABLE if the store is not there at first. */
export const watchDownloads = (deps: Deps): Follow<WatchedLists['downloads']> =>
  watchPart(deps, ({ connection, downloads }) => ({ connection, downloads }));

/** Follows the variants that the store makes, in the same way. */
export const watchOptimizations = (deps: Deps): Follow<WatchedLists['optimizations']> =>
  watchPart(deps, ({ connection, optimizations }) => ({ connection, optimizations }));

/** How often the store is asked which models nodes share, in milliseconds: no event tells. */
const askEveryMs = 3_000;

/** Follows the machines that stage from the store, and their orders, by hostname, in the same way. */
export const watchNodes =
  (given: Deps): Follow<WatchedLists['nodes']> =>
  async (report, signal) => {
    const deps = await pinStore(given);
    const isOver = new AbortController();
    const untilOver = AbortSignal.any([signal, isOver.signal]);
    let known: Omit<WatchedLists['nodes'], 'swarms'> | undefined;
    let swarms: readonly Swarm[] = [];
    const tell = (): void => {
      if (known !== undefined && !untilOver.aborted) report({ ...known, swarms });
    };
    const askForSwarms = async (): Promise<void> => {
      while (!untilOver.aborted) {
        // The connection says that the store is away.
        const now = await listSwarms(deps).catch(() => swarms);
        const isSame = JSON.stringify(now) === JSON.stringify(swarms);
        swarms = now;
        if (!isSame) tell();
        await pause(askEveryMs, untilOver).catch(() => undefined);
      }
    };
    void askForSwarms();
    try {
      const follow = watchPart(deps, ({ connection, nodes, orders, location, health }) => ({
        ...{ connection, nodes, orders },
        storeAddress: storeAddress(location, health),
      }));
      await follow((now) => {
        known = now;
        tell();
      }, signal);
    } finally {
      isOver.abort();
    }
  };

/** @param part selects from the store's view; reported only when one of its fields changes */
function watchPart<T extends object>(deps: Deps, part: (view: StoreView) => T): Follow<T> {
  return async (report, signal) => {
    let before: T | undefined;
    const store = followStore(await pinStore(deps), { isPatient: false });
    await store((view) => {
      const now = part(view);
      const isSame = before !== undefined && Object.keys(now).every((key) => before?.[key as keyof T] === now[key as keyof T]);
      before = now;
      if (!isSame) report(now);
    }, signal);
  };
}
