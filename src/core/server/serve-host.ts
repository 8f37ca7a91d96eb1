import type { HostFleet } from '../fleet/fleet.ts';
import type { DownloadQueue } from '../jobs/download-queue.ts';
import { advertisedAddress, announce } from '../operations/advertise.ts';
import type { Deps, StoreChanges } from '../operations/deps.ts';
import { openHostFleet } from '../operations/fleet-agent.ts';
import { createHostDownloads } from '../operations/host-downloads.ts';
import { openHostStore } from '../operations/open-store.ts';
import type { LocalStore } from '../store/contract.ts';
import type { Served, Serving } from './serve.ts';
import { createStoreApp } from './store-app.ts';

/** The store host's part: its disk, its file server, its downloads, its nodes and orders. */
export async function serveHost({ deps, request, nodeId, names, outside, listenWith, atEnd }: Serving): Promise<Served> {
  const { world, config } = deps;
  let queue: DownloadQueue | undefined;
  let port: number | undefined;
  const opened = await openHostStore(deps, {
    isBusy: (modelId) => (queue?.isActive(modelId) === true ? 'downloaded' : undefined),
    advertised: () => {
      if (port === undefined) return null;
      const { host, because } = advertisedAddress(deps, { listen: request.host });
      return { url: `http://${host}:${port}`, because };
    },
  });
  const { store, uploads } = opened;
  atEnd(() => store.close());
  const downloads = createHostDownloads(deps, store);
  queue = downloads;
  atEnd(() => downloads.close());
  const fleet = openHostFleet(deps, store);
  const own: Deps = { ...deps, store, downloads, fleet, changes: changesOf({ store, downloads, fleet }) };
  const { version } = world;
  const token = config.settings.token.value;
  const app = await createStoreApp({ store, downloads, uploads, fleet, deps: own, version, token, names, logLevel: request.logLevel });
  const listening = await listenWith(app, request.port ?? config.settings.storePort.value);
  await opened.setUrl(listening.url);
  port = listening.port;
  return {
    deps: own,
    storeUrl: outside(listening.url),
    storePath: store.root,
    fleet: async () => fleet,
    onReady: async () => {
      store.hashInBackground();
      await downloads.resume();
      if (!request.mdns) return;
      const announcement = announce(deps, { at: advertisedAddress(deps, { listen: request.host }), port: listening.port, nodeId });
      atEnd(async () => (await announcement)?.stop());
    },
  };
}

function changesOf({ store, downloads, fleet }: { store: LocalStore; downloads: DownloadQueue; fleet: HostFleet }): StoreChanges {
  return {
    onChange: (listener) => {
      const ends = [
        store.onChange(() => listener('models')),
        downloads.onChange(() => listener('downloads')),
        fleet.onChange(() => listener('fleet')),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
