import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { storeLayout } from '../../store/layout.ts';
import type { LocalStore } from '../../store/local-store.ts';
import { findAria2 } from '../../swarm/aria2.ts';
import { createHostSwarms, type HostSwarms } from '../../swarm/host-swarms.ts';
import { openSeeding } from '../../swarm/seeding.ts';
import { openTorrents } from '../../swarm/torrents.ts';
import type { StorePolicy } from './store-policy.ts';

/**
 * The swarms of the store on this disk. The policy decides whether there are any; `auto` means only while the LAN may read without a token:
 * peers know no tokens, so each of them could give the bytes to anyone.
 * @param listen the address on which the server listens; peers use the same one
 * @param url of this server, as programs on this machine reach it; undefined until it listens
 */
export async function openSwarms(
  { world, config }: Deps,
  store: LocalStore,
  {
    policy,
    url,
    listen,
  }: { readonly policy: StorePolicy['current']; readonly url: () => string | undefined; readonly listen: string | undefined },
): Promise<HostSwarms> {
  const layout = storeLayout(store.root);
  const directoryOf = async ({ model_id }: { readonly model_id: string }): Promise<string> => {
    const entry = (await store.listModels()).find((one) => one.model_id === model_id);
    if (entry === undefined) throw new SkulkError('MODEL_NOT_FOUND', `${model_id} is not in the store`);
    return join(store.root, entry.store_path);
  };
  const { port, uploadLimit, isEnabled } = config.swarm;
  const address = listen !== undefined && isIPv4(listen) && listen !== '0.0.0.0' ? listen : undefined;
  const seeding = await openSeeding({ store, place: layout.seeding, directoryOf, world, uploadLimit, port, address });
  return createHostSwarms({
    store,
    seeding,
    torrents: openTorrents(layout.torrents),
    directoryOf,
    isAllowed: async (bytes) => {
      const { swarm, lan } = await policy();
      const isOpen = lan !== 'none' && config.settings.token.value === undefined;
      const isWanted = swarm.enabled === true || (swarm.enabled === 'auto' && isOpen);
      return isEnabled && isWanted && bytes >= swarm.minBytes && findAria2(world) !== undefined;
    },
    trackerUrl: () => (url() === undefined ? undefined : `${url()}/swarm/announce`),
    signal: world.signal,
    now: world.now,
    warn: (message) => world.emit({ type: 'warning', message }),
  });
}
