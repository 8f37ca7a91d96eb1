import type { LocalStore } from '../contract.ts';
import type { StorePresence } from './store-presence.ts';

/**
 * A store that answers only while its disk is there. An empty directory in its place would be taken for an empty store, and its models
 * would be fetched from the internet, so what is said is checked afterwards too.
 */
export function guardStore(store: LocalStore, presence: StorePresence): LocalStore {
  const guarded =
    <A extends readonly unknown[], R>(work: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      await presence.require();
      const result = await explained(work(...given));
      await presence.require();
      return result;
    };
  /** A failure may come of the disk that went away. */
  const explained = async <R>(work: Promise<R>): Promise<R> => {
    try {
      return await work;
    } catch (error) {
      await presence.require();
      throw error;
    }
  };
  return {
    ...store,
    requireDisk: presence.requireLately,
    health: guarded(store.health),
    listModels: guarded(store.listModels),
    listDescribed: guarded(store.listDescribed),
    listLost: guarded(store.listLost),
    has: guarded(store.has),
    listFiles: guarded(store.listFiles),
    manifest: guarded(store.manifest),
    identify: guarded(store.identify),
    upstream: guarded(store.upstream),
    ggufHeader: guarded(store.ggufHeader),
    adopt: guarded(store.adopt),
    publish: guarded(store.publish),
    extend: guarded(store.extend),
    remove: guarded(store.remove),
    planRemoval: guarded(store.planRemoval),
    removeQuantization: guarded(store.removeQuantization),
    verify: guarded(store.verify),
    // Of thousands of files each is opened: what is found is right, as its content is checked.
    openFile: (...given) => explained(store.openFile(...given)),
    close: async () => {
      await store.close();
      presence[Symbol.dispose]();
    },
  };
}
