import type { LocalStore } from '../local-store.ts';
import type { StorePresence } from './store-presence.ts';

/** The methods whose answers are checked. Without one of them, the code does not compile. A store on a disk has no `fetchPieces`. */
type Guarded = Omit<Asynchronous<LocalStore>, 'requireDisk' | 'openFile' | 'fetchPieces' | 'close'>;

/** The methods of a type that answer with a promise, also optional ones. */
type Asynchronous<T> = {
  readonly [K in keyof T as NonNullable<T[K]> extends (...given: never[]) => Promise<unknown> ? K : never]-?: T[K];
};

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
  const answers: Guarded = {
    health: guarded(store.health),
    listModels: guarded(store.listModels),
    listDescribed: guarded(store.listDescribed),
    listLost: guarded(store.listLost),
    has: guarded(store.has),
    lacksProjector: guarded(store.lacksProjector),
    listFiles: guarded(store.listFiles),
    manifest: guarded(store.manifest),
    identify: guarded(store.identify),
    upstream: guarded(store.upstream),
    ggufHeader: guarded(store.ggufHeader),
    cardOf: guarded(store.cardOf),
    requirePlace: guarded(store.requirePlace),
    findPlace: guarded(store.findPlace),
    adopt: guarded(store.adopt),
    publish: guarded(store.publish),
    extend: guarded(store.extend),
    remove: guarded(store.remove),
    planRemoval: guarded(store.planRemoval),
    removeQuantization: guarded(store.removeQuantization),
    verify: guarded(store.verify),
  };
  return {
    ...store,
    ...answers,
    requireDisk: presence.requireLately,
    // Thousands of files may be opened, so the disk is not checked for each. The content is verified, so a found file is right.
    openFile: (...given) => explained(store.openFile(...given)),
    close: async () => {
      await store.close();
      presence[Symbol.dispose]();
    },
  };
}
