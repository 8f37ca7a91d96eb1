/** One watched topic. */
export interface Topic {
  /** Reads its complete current state. */
  readonly read: () => Promise<object>;
  /** The minimum time between two reads, in milliseconds. */
  readonly restMs: number;
  /** How often it is read for changes without notification, if it differs from other topics; in milliseconds. */
  readonly pollEveryMs?: number;
}

/** A listener of topics. */
export interface FeedListener<Name extends string> {
  /** @param json the current state of the topic, as JSON on one line */
  notify(name: Name, json: string): void;
  /** A topic could not be read; there are no more notifications. */
  fail(error: unknown): void;
}

/** The watched topics, and how to watch them. */
export interface FeedOptions<Name extends string> {
  readonly topics: Readonly<Record<Name, Topic>>;
  /** Calls `changed` with a topic that may have changed, until the returned function is called. Only called while there are listeners. */
  readonly onChange: (changed: (name: Name) => void) => () => void;
  /** How often everything is read for changes without notification, in milliseconds. */
  readonly pollEveryMs: number;
}

/** Notifies listeners of the current state and of every change. */
export interface Feed<Name extends string> {
  /**
   * Notifies the listener of every topic before it returns, then of changes. Throws the error of reading a topic.
   * @returns a function that removes the listener
   */
  listen(listener: FeedListener<Name>): Promise<() => void>;
}

/** A topic is read once for all listeners, and not at all without listeners. */
export function createFeed<Name extends string>(options: FeedOptions<Name>): Feed<Name> {
  const listeners = new Set<FeedListener<Name>>();
  let running: Run<Name> | undefined;
  let users = 0;
  const leave = (): void => {
    users -= 1;
    if (users > 0) return;
    running?.stop();
    running = undefined;
  };
  return {
    listen: async (listener) => {
      users += 1;
      running ??= startRun(options, listeners);
      try {
        for (const [name, json] of await running.whole()) listener.notify(name, json);
      } catch (error) {
        leave();
        throw error;
      }
      listeners.add(listener);
      let hasLeft = false;
      return () => {
        if (hasLeft) return;
        hasLeft = true;
        listeners.delete(listener);
        leave();
      };
    },
  };
}

/** The time from the first listener to the last. */
interface Run<Name extends string> {
  /** Every topic as it was last read. */
  whole(): Promise<ReadonlyMap<Name, string>>;
  stop(): void;
}

function startRun<Name extends string>(
  { topics, onChange, pollEveryMs }: FeedOptions<Name>,
  listeners: ReadonlySet<FeedListener<Name>>,
): Run<Name> {
  const names = Object.keys(topics) as Name[];
  const last = new Map<Name, string>();
  const timers = new Map<Name, NodeJS.Timeout>();
  const readAt = new Map<Name, number>();
  const reading = new Map<Name, { isStale: boolean }>();
  let isOver = false;
  const read = async (name: Name): Promise<void> => {
    const now = { isStale: false };
    reading.set(name, now);
    try {
      const json = JSON.stringify(await topics[name].read());
      if (isOver || json === last.get(name)) return;
      last.set(name, json);
      for (const listener of listeners) listener.notify(name, json);
    } finally {
      reading.delete(name);
      readAt.set(name, performance.now());
      if (now.isStale) changed(name);
    }
  };
  const fail = (error: unknown): void => {
    if (!isOver) for (const listener of [...listeners]) listener.fail(error);
  };
  function changed(name: Name): void {
    const now = reading.get(name);
    if (now !== undefined) now.isStale = true;
    if (isOver || now !== undefined || timers.has(name)) return;
    const rest = (readAt.get(name) ?? 0) + topics[name].restMs - performance.now();
    const look = (): void => {
      timers.delete(name);
      read(name).catch(fail);
    };
    timers.set(name, setTimeout(look, Math.max(0, rest)));
  }
  const ignoreChanges = onChange(changed);
  const looks = names.map((name) => setInterval(changed, topics[name].pollEveryMs ?? pollEveryMs, name));
  const first = Promise.all(names.map(read));
  return {
    whole: async () => {
      await first;
      return last;
    },
    stop: () => {
      isOver = true;
      ignoreChanges();
      looks.forEach(clearInterval);
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
