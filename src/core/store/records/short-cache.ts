/** What was found a moment ago, for whoever asks for the same again and again. */
export interface ShortCache<K, V> {
  /** What was found under a key within the last tenth of a second, unless this process has changed something since; else what `look` finds. */
  find(key: K, look: () => Promise<V>): Promise<V>;
  /** Forgets everything, and remembers nothing while a change is under way. */
  readonly onChange: (isUnderWay: boolean) => void;
}

/** A person who changes a file by hand sees it within this time, in milliseconds. */
const forMs = 100;

/** Empty. */
export function createShortCache<K, V>(): ShortCache<K, V> {
  const found = new Map<K, { readonly until: number; readonly value: Promise<V> }>();
  let isChanging = false;
  return {
    onChange: (isUnderWay) => {
      isChanging = isUnderWay;
      found.clear();
    },
    find: (key, look) => {
      const known = found.get(key);
      if (known !== undefined && known.until > performance.now()) return known.value;
      const value = look();
      if (isChanging) return value;
      for (const [old, { until }] of found) if (until <= performance.now()) found.delete(old);
      found.set(key, { until: performance.now() + forMs, value });
      value.catch(() => found.delete(key));
      return value;
    },
  };
}
