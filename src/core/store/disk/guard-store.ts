import type { LocalStore } from '../local-store.ts';
import type { StorePresence } from './store-presence.ts';

/**
 * A store that only answers while its disk is there. An empty mount point would look like an empty store, and its models would be fetched
 * from the internet. So the disk is also checked after each answer.
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
  /** A failure may be the result of a disk that disappeared. */
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
    findPlace: guarded(store.findPlace),
    adopt: guarded(store.adopt),
    publish: guarded(store.publish),
    extend: guarded(store.extend),
    remove: guarded(store.remove),
    planRemoval: guarded(store.planRemoval),
    removeQuantization: guarded(store.removeQuantization),
    verify: guarded(store.verify),
    // Thousands of files may be opened, so the disk is not checked for each. The content is verified, so a found file is right.
    openFile: (...given) => explained(store.openFile(...given)),
    close: async () => {
      await store.close();
      presence[Symbol.dispose]();
    },
  };
}
