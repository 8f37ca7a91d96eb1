import type { Fleet } from '../../fleet/contract.ts';
import type { DownloadQueue } from '../../jobs/download-queue.ts';
import { acquireLock } from '../../kernel/process/lock.ts';
import type { World } from '../../kernel/world.ts';
import type { HostOptimizations } from '../../optimize/host-optimizations.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { readStoreIdentity } from '../../store/disk/store-identity.ts';
import { watchPresence } from '../../store/disk/store-presence.ts';
import { openDiskStore } from '../../store/disk-store.ts';
import { storeLayout } from '../../store/layout.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { WhenUnused } from '../../store/store-context.ts';
import { askForProjectors } from '../ask-for-projector.ts';
import type { Deps } from '../deps.ts';
import { withoutReplaced } from '../promoted-store.ts';
import { identifyStore, rememberModels } from '../served-stores.ts';
import type { OpenedStore } from './opened-store.ts';

/** A store on this disk without a server. It is closed after each use, because a server may start at any time. */
export async function openOnDisk(given: Deps, root: string): Promise<OpenedStore> {
  const deps = await withoutReplaced(given, root);
  const { world, config } = deps;
  let queue: Promise<DownloadQueue> | undefined;
  let making: Promise<HostOptimizations> | undefined;
  let isWritten = false;
  const identity = await readStoreIdentity(storeLayout(root));
  const store = openDiskStore({
    root,
    world,
    nodeId: config.nodeId,
    cardsPath: config.settings.cardsPath.value,
    askForProjector: askForProjectors(deps),
    whenUnused: whenUnusedIn(root, world),
    identify: async () => {
      await identifyStore(deps, root);
      isWritten = true;
    },
    presence: identity === undefined || identity === 'damaged' ? undefined : await watchPresence(root, identity),
  });
  const downloads = (): Promise<DownloadQueue> => {
    queue ??= import('../host-downloads.ts').then(({ createHostDownloads }) => createHostDownloads(deps, store));
    return queue;
  };
  const optimizations = (): Promise<HostOptimizations> => {
    making ??= import('../../optimize/host-optimizations.ts').then(({ createHostOptimizations }) =>
      createHostOptimizations({ store, world }),
    );
    return making;
  };
  const close = async (): Promise<void> => {
    await (await queue)?.close();
    await (await making)?.close();
    if (isWritten) await rememberModels(deps, store).catch(() => undefined);
    await store.close();
  };
  const fleet = (): Promise<Fleet> => openUnservedFleet(deps, store);
  return { store, downloads, optimizations, fleet, localRoot: root, [Symbol.asyncDispose]: close };
}

/** Keeps files in place while a process of this machine uses them there. */
export const whenUnusedIn =
  (root: string, { now, signal }: World): WhenUnused =>
  async (modelId, work, group) => {
    const { whenUnused } = await import('../../staging/leases/when-unused.ts');
    return whenUnused(stagingLayout(root), { modelId, group, now: now(), signal }, work);
  };

/** The fleet of a store without a server: nodes get its orders when there is a server again. */
export async function openUnservedFleet({ world }: Deps, store: LocalStore): Promise<Fleet> {
  const { openFleet } = await import('../../fleet/fleet.ts');
  const { fleet, lock } = storeLayout(store.root);
  const { now, emit, signal } = world;
  const exclusively = async <T>(work: () => Promise<T>): Promise<T> => {
    await using _ = await acquireLock(lock, { purpose: 'an order', timeoutMs: 10_000, signal });
    return await work();
  };
  return openFleet({ directory: fleet, store, now, emit, exclusively });
}
