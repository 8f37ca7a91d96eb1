import { type Fingerprint, readFingerprint, untouchedBetween } from '../../transfer/fingerprint.ts';

/** A cache of values read from files, valid while the files do not change. */
export interface FileMemory<Key, Value> {
  /** The result of `load` for the file; the same object until the file changes. Undefined if the file does not exist. */
  read(key: Key, path: string, load: () => Promise<Value>): Promise<Value | undefined>;
  forget(key: Key): void;
}

/** @param max the number of most recently read files to keep */
export function createFileMemory<Key, Value>(max: number): FileMemory<Key, Value> {
  const known = new Map<Key, { readonly seen: Fingerprint; readonly value: Value }>();
  return {
    read: async (key, path, load) => {
      const seen = await readFingerprint(path);
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
