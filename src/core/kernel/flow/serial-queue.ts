/** Runs pieces of work one after the other, in the order of the calls. A failure does not affect the work after it. */
export interface SerialQueue {
  /** Runs the work when its turn comes. Settles like the work. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Settles when everything that was queued before this call has ended; never rejects. */
  idle(): Promise<void>;
}

/** Creates a queue without work. */
export function createSerialQueue(): SerialQueue {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run: (work) => {
      const running = last.then(work);
      last = running.catch(() => undefined);
      return running;
    },
    idle: async () => void (await last),
  };
}

/** One serial queue for each key. Work with different keys runs at the same time. */
export interface SerialQueues<K> {
  /** Like `SerialQueue.run`. */
  run<T>(key: K, work: () => Promise<T>): Promise<T>;
  /** Like `SerialQueue.idle`, for the work with this key. */
  idle(key: K): Promise<void>;
}

/** Creates queues without work. An idle key needs no memory. */
export function createSerialQueues<K>(): SerialQueues<K> {
  const last = new Map<K, Promise<unknown>>();
  return {
    run: (key, work) => {
      const running = (last.get(key) ?? Promise.resolve()).then(work);
      const ended = running
        .catch(() => undefined)
        .then(() => {
          if (last.get(key) === ended) last.delete(key);
        });
      last.set(key, ended);
      return running;
    },
    idle: async (key) => void (await last.get(key)),
  };
}
