import { type Fingerprint, lookAtFile, untouchedBetween } from '../../transfer/fingerprint.ts';

/** What was read of files, as long as they do not change. */
export interface FileMemory<Key, Value> {
  /** What `load` made of the file; the same object as long as nothing changes. Undefined when there is no file. */
  read(key: Key, path: string, load: () => Promise<Value>): Promise<Value | undefined>;
  forget(key: Key): void;
}

/** @param max of how many files it is kept; those that were read last */
export function createFileMemory<Key, Value>(max: number): FileMemory<Key, Value> {
  const known = new Map<Key, { readonly seen: Fingerprint; readonly value: Value }>();
  return {
    read: async (key, path, load) => {
      const seen = await lookAtFile(path);
      const before = known.get(key);
      if (seen !== undefined && untouchedBetween(before?.seen, seen)) return before?.value;
      known.delete(key);
      if (seen === undefined) return undefined;
      const value = await load();
      known.delete(key);
      known.set(key, { seen, value });
      for (const [oldest] of known) {
        if (known.size <= max) break;
        known.delete(oldest);
      }
      return value;
    },
    forget: (key) => void known.delete(key),
  };
}
