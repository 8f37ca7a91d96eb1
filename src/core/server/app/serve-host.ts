import { advertisedAddress, announce } from '../../connect/advertise.ts';
import type { Deps, StoreChanges } from '../../connect/deps.ts';
import { createHostDownloads, sweepHostDownloads } from '../../connect/host-downloads.ts';
import { withoutReplaced } from '../../connect/promoted-store.ts';
import { rememberModels } from '../../connect/served-stores.ts';
import { openHostStore, uploadLimits } from '../../connect/store/open-host-store.ts';
import { createHostHub } from '../../endpoint/held/host-hub.ts';
import type { HostFleet } from '../../fleet/fleet.ts';
import type { DownloadQueue } from '../../jobs/download-queue.ts';
import { describeFailure, reasonOf } from '../../kernel/explain-system-error.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import { createSerialQueue } from '../../kernel/flow/serial-queue.ts';
import { throttle } from '../../kernel/flow/throttle.ts';
import { openHostFleet } from '../../operations/nodes/fleet-agent.ts';
import { followAdministration, openAdministration } from '../../operations/store/open-administration.ts';
import { openAudit } from '../../operations/store/open-audit.ts';
import { openRegistry } from '../../operations/store/open-registry.ts';
import { openSwarms } from '../../operations/store/open-swarms.ts';
import { createHostOptimizations, type HostOptimizations } from '../../optimize/host-optimizations.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { HostUploads } from '../../store/upload-contract.ts';
import type { HostSwarms } from '../../swarm/host-swarms.ts';
import { createAccess } from '../access/access.ts';
import { type Activity, createActivity } from '../access/activity.ts';
import { requireTwoPorts } from './listen.ts';
import { openColdHub } from './open-cold-hub.ts';
import type { Served, Serving } from './serving.ts';
import { createStoreApp } from './store-app.ts';
import { warnOfOtherStores } from './warn-of-other-stores.ts';

/** How often to check the store's disk without requests, in milliseconds. */
const pollEveryMs = 2_000;

/**
 * Starts the store host: its disk, its file server, its downloads, its nodes and orders.
 * @param report called with messages before the server is ready
 */
export async function serveHost(
  { deps: given, request, nodeId, names, keys, outside, listenWith, apiPort, atEnd }: Serving,
  report: Emit,
): Promise<Served> {
  requireTwoPorts(request, given.config.settings);
  const deps = await withoutReplaced(given, given.config.settings.storePath.value);
  const { world, config } = deps;
  if (request.mdns && request.role === 'auto') await warnOfOtherStores(deps, report);
  let queue: DownloadQueue | undefined;
  let making: HostOptimizations | undefined;
  let sharing: HostSwarms | undefined;
  let port: number | undefined;
  const administration = await openAdministration(deps, config.settings.storePath.value);
  const opened = await openHostStore(deps, {
    newStore: request.newStore,
    adoptDirectory: request.adoptDirectory,
    onPresence: (isAway) => {
      reportPresence(deps, isAway);
      if (isAway) return void sharing?.endAll().catch(() => undefined);
      for (const jobs of [queue, making])
        jobs?.resume().catch((error: unknown) => deps.world.emit({ type: 'warning', message: reasonOf(error) }));
    },
    policy: administration.policy.current,
    isBusy: (modelId, files) => {
      if (queue?.isActive(modelId, files) === true) return 'downloaded';
      return making?.isActive(modelId) === true ? 'optimized' : undefined;
    },
    advertised: () => {
      if (port === undefined) return null;
      const { host, because } = advertisedAddress(deps, { listen: request.host });
      return { url: `http://${host}:${port}`, because };
    },
  });
  const { store, uploads } = opened;
  atEnd(() => store.close());
  atEnd(async () => uploads[Symbol.asyncDispose]());
  atEnd(countModels(deps, store));
  const presenceTimer = setInterval(() => store.requireDisk().catch(() => undefined), pollEveryMs);
  atEnd(async () => clearInterval(presenceTimer));
  atEnd(await followAdministration(administration));
  const cold = openColdHub(deps, { store, policy: administration.policy.current, downloads: () => downloads });
  const downloads = createHostDownloads(deps, store, opened.held, cold.share);
  queue = downloads;
  atEnd(() => downloads.close());
  atEnd(() => cold.close());
  const optimizations = createHostOptimizations({
    store,
    world,
    held: opened.held,
    isBusy: (modelId) => (downloads.isActive(modelId) ? 'downloaded' : undefined),
  });
  making = optimizations;
  atEnd(() => optimizations.close());
  const fleet = openHostFleet(deps, store, { ...opened.held, policy: administration.policy.current });
  let ownUrl: string | undefined;
  const swarms = await openSwarms(deps, store, { policy: administration.policy.current, url: () => ownUrl, listen: request.host });
  sharing = swarms;
  atEnd(() => swarms.close());
  const changes = changesOf({ store, downloads, optimizations, uploads, fleet });
  const own: Deps = { ...deps, store, downloads, optimizations, fleet, uploads, changes, swarms };
  const { version, hostname } = world;
  const access = createAccess({
    token: config.settings.token.value,
    ...keys,
    policy: administration.policy.current,
    findToken: administration.tokens.find,
  });
  const activity = await openActivity(own, store, { downloads, optimizations, atEnd });
  const hub = createHostHub({ store, cold, isHidden: cold.isHidden });
  const registry = openRegistry(store, hub);
  const app = await createStoreApp({
    store,
    swarms,
    downloads,
    uploads,
    fleet,
    deps: own,
    version,
    access,
    administration,
    activity,
    hostname,
    names,
    hub,
    registry,
    pagePort: apiPort,
    logLevel: request.logLevel,
    stream: request.logStream,
  });
  const listening = await listenWith(app, request.port ?? config.settings.storePort.value);
  await opened.setUrl(listening.url, outside(listening.url));
  port = listening.port;
  ownUrl = listening.url;
  return {
    deps: own,
    storeUrl: outside(listening.url),
    storePath: store.root,
    lost: opened.held.lost,
    localStoreUrl: listening.url,
    access,
    administration,
    activity,
    hub: { backend: hub, registry, store },
    fleet: async () => fleet,
    onReady: async () => {
      store.hashInBackground();
      await downloads.resume();
      const sweeping = sweepHostDownloads(
        deps,
        store,
        downloads,
        async () => (await uploadLimits(administration.policy.current)()).staleAfterMs,
      );
      atEnd(async () => sweeping[Symbol.asyncDispose]());
      await optimizations.resume();
      if (!request.mdns) return;
      const announcement = announce(deps, { at: advertisedAddress(deps, { listen: request.host }), port: listening.port, nodeId });
      atEnd(async () => (await announcement)?.stop());
    },
  };
}

/** What was asked of this store, also of earlier servers. A log that cannot be read begins again. */
async function openActivity(
  deps: Deps,
  store: LocalStore,
  {
    downloads,
    optimizations,
    atEnd,
  }: { readonly downloads: DownloadQueue; readonly optimizations: HostOptimizations } & Pick<Serving, 'atEnd'>,
): Promise<Activity> {
  const { now, emit } = deps.world;
  const log = openAudit(deps, store);
  atEnd(async () => log[Symbol.asyncDispose]());
  await log.readLast(1).catch((error: unknown) => {
    emit({ type: 'warning', message: describeFailure('cannot read the log of changes', error) });
  });
  const activity = createActivity({ now: () => now().getTime(), fromHub: () => rateOf(downloads), log, owner: deps.world.user() });
  atEnd(async () => activity.close());
  for (const { onEnd } of [downloads, optimizations]) onEnd((end) => void activity.ended(end));
  return activity;
}

/** Bytes per second that all downloads together report. */
async function rateOf(downloads: DownloadQueue): Promise<number> {
  const running = await downloads.list({ recent: false });
  return running.reduce((sum, { status, bytes_per_second }) => sum + (status === 'downloading' ? (bytes_per_second ?? 0) : 0), 0);
}

function reportPresence({ world, config }: Deps, isAway: boolean): void {
  const root = config.settings.storePath.value;
  if (isAway)
    world.emit({
      type: 'warning',
      message: `the store is no longer at ${root}: its disk may not be mounted. Requests get status 503, and nothing is written there`,
      hint: 'mount the disk again; serving resumes automatically',
    });
  else world.emit({ type: 'warning', message: `the store is back at ${root} and is being served again` });
}

/** Saves the number of models beside the store, now and after changes. @returns a function that stops it */
function countModels(deps: Deps, store: LocalStore): () => Promise<unknown> {
  const saves = createSerialQueue();
  const count = throttle(1000, () => {
    saves.run(() => rememberModels(deps, store)).catch(() => undefined);
  });
  const stop = store.onChange(count);
  count();
  return async () => {
    stop();
    count[Symbol.dispose]();
    await saves.idle();
    await rememberModels(deps, store).catch(() => undefined);
  };
}

function changesOf({
  store,
  downloads,
  optimizations,
  uploads,
  fleet,
}: {
  store: LocalStore;
  downloads: DownloadQueue;
  optimizations: HostOptimizations;
  uploads: HostUploads;
  fleet: HostFleet;
}): StoreChanges {
  return {
    onChange: (listener) => {
      const ends = [
        store.onChange(() => listener('models')),
        downloads.subscribe(() => listener('downloads')),
        optimizations.subscribe(() => listener('optimizations')),
        uploads.onChange(() => listener('uploads')),
        fleet.onChange(() => listener('fleet')),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
