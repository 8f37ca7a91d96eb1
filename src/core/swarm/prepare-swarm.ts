import { makeSecret } from '../kernel/secret.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { Swarm } from './host-swarm.ts';
import type { Seeding } from './seeding.ts';
import type { Torrents } from './torrents.ts';
import { createTracker } from './tracker.ts';

/** What the preparation of a swarm needs of its store host. */
export interface PreparationTools {
  readonly store: Pick<LocalStore, 'requireDisk'>;
  readonly seeding: Pick<Seeding, 'begin'>;
  readonly torrents: Pick<Torrents, 'find'>;
  readonly directoryOf: (manifest: Manifest) => Promise<string>;
  /** The URL of the tracker for this machine, without a query; undefined before the server listens. */
  readonly trackerUrl: () => string | undefined;
  /** Whether the swarm has not ended while others were prepared. */
  readonly isWanted: (swarm: Swarm) => boolean;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/**
 * Makes the torrent of a swarm and its tracker, then starts to seed. A swarm that cannot be shared is marked as refused. Swarms are
 * prepared one after the other, because each preparation reads a whole model.
 */
export function createPreparation(tools: PreparationTools): (swarm: Swarm) => Promise<void> {
  let before: Promise<void> = Promise.resolve();
  return (swarm) => {
    before = before.then(() => prepareSwarm(swarm, tools));
    return before;
  };
}

async function prepareSwarm(
  swarm: Swarm,
  { store, seeding, torrents, directoryOf, trackerUrl, isWanted, signal, warn }: PreparationTools,
): Promise<void> {
  const { manifest, modelId } = swarm;
  const url = trackerUrl();
  if (!isWanted(swarm)) return;
  try {
    signal.throwIfAborted();
    if (url === undefined) throw new Error('the server is not ready');
    // Nothing is created at the mount point of a missing disk.
    await store.requireDisk();
    const metainfo = await torrents.find(manifest, await directoryOf(manifest), signal);
    const tracker = createTracker(metainfo.infoHash);
    const hostKey = makeSecret();
    for (const key of [hostKey, ...swarm.members.keys()]) tracker.admit(key);
    // The tracker must know the host before its first request.
    swarm.ready = { metainfo, tracker, hostKey };
    await seeding.begin(manifest, metainfo, `${url}?key=${hostKey}`);
    swarm.isSeeding = true;
  } catch (error) {
    delete swarm.ready;
    swarm.isRefused = true;
    if (!signal.aborted) warn(`${modelId} cannot be shared among nodes: ${(error as Error).message}`);
  }
}
