import type { Policy } from '../../config/policy.ts';
import type { Deps } from '../../connect/deps.ts';
import { onDemandPlace } from '../../connect/host-downloads.ts';
import { openHubLater } from '../../connect/open-hub.ts';
import { createColdHub, type HostColdHub } from '../../endpoint/cold/cold-hub.ts';
import type { DownloadQueue } from '../../jobs/download-queue.ts';
import type { LocalStore } from '../../store/local-store.ts';

/** The number of connections to Hugging Face for all Hub clients together. */
const connections = 64;

/**
 * Fetches files for Hub clients that are missing in the store on this machine's disk. Nothing is requested from Hugging Face before a
 * client needs it.
 * @param policy the store's current policy
 */
export function openColdHub(
  deps: Deps,
  {
    store,
    policy,
    downloads,
  }: { readonly store: LocalStore; readonly policy: () => Promise<Policy>; readonly downloads: () => DownloadQueue },
): HostColdHub {
  const { world, config } = deps;
  const opened = openHubLater(deps, { connections });
  const cold = createColdHub({
    store,
    source: opened.hub,
    ...onDemandPlace(store),
    settings: async () => {
      const { hub } = await policy();
      return config.settings.allowHubFallback.value || config.settings.upstream.value !== undefined ? hub : { ...hub, upstream: 'off' };
    },
    downloads,
    emit: world.emit,
    // Running requests get time to finish when the server ends.
    signal: new AbortController().signal,
  });
  return {
    ...cold,
    close: async () => {
      await cold.close();
      opened[Symbol.dispose]();
    },
  };
}
