import { useSyncExternalStore } from 'react';

/** Something that changes, and whoever shows it. */
export interface Live<T> {
  readonly get: () => T;
  readonly set: (value: T) => void;
  readonly subscribe: (listener: () => void) => () => void;
}

/** Nobody listens yet. */
export function createLive<T>(first: T): Live<T> {
  const listeners = new Set<() => void>();
  let value = first;
  return {
    get: () => value,
    set: (next) => {
      value = next;
      for (const tell of listeners) tell();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** How it is, as it changes. */
export const useLive = <T>(live: Live<T>): T => useSyncExternalStore(live.subscribe, live.get);
