/** Caches recent results for repeated calls. */
export interface ShortCache<K, V> {
  /** The result for a key from the last tenth of a second, unless this process has changed something since. Otherwise calls `load`. */
  find(key: K, load: () => Promise<V>): Promise<V>;
  /** Clears the cache, and stores nothing while a change is running. */
  readonly onChange: (isUnderWay: boolean) => void;
}

/** A manual change of a file takes effect within this time, in milliseconds. */
const forMs = 100;

/** Creates an empty cache. */
export function createShortCache<K, V>(): ShortCache<K, V> {
  const found = new Map<K, { readonly until: number; readonly value: Promise<V> }>();
  let isChanging = false;
  return {
    onChange: (isUnderWay) => {
      isChanging = isUnderWay;
      found.clear();
    },
    find: (key, load) => {
      const known = found.get(key);
      if (known !== undefined && known.until > performance.now()) return known.value;
      const value = load();
      if (isChanging) return value;
      for (const [old, { until }] of found) if (until <= performance.now()) found.delete(old);
      found.set(key, { until: performance.now() + forMs, value });
      value.catch(() => found.delete(key));
      return value;
    },
  };
}
