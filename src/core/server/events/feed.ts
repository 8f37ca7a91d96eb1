/** One thing that is watched. */
export interface Topic {
  /** How it is now, whole. */
  readonly read: () => Promise<object>;
  /** It is not read again sooner than so long after it was read; in milliseconds. */
  readonly restMs: number;
  /** How often it is read again for changes that nobody tells, where the others are read more rarely; in milliseconds. */
  readonly lookEveryMs?: number;
}

/** Whoever hears of topics. */
export interface FeedListener<Name extends string> {
  /** @param json the topic as it is now, as JSON on one line */
  tell(name: Name, json: string): void;
  /** A topic could not be read; nothing more is told. */
  fail(error: unknown): void;
}

/** What is watched, and how. */
export interface FeedOptions<Name extends string> {
  readonly topics: Readonly<Record<Name, Topic>>;
  /** Has something told which topic may have changed, until the returned function is called. Only while somebody listens. */
  readonly onChange: (changed: (name: Name) => void) => () => void;
  /** How often everything is read again, for changes that nobody tells; in milliseconds. */
  readonly lookEveryMs: number;
}

/** Tells listeners how things are, and again whenever they are otherwise. */
export interface Feed<Name extends string> {
  /**
   * Tells every topic before it returns, then what changed. Throws what a topic cannot be read for.
   * @returns ends it
   */
  listen(listener: FeedListener<Name>): Promise<() => void>;
}

/** A topic is read once for all listeners, however many there are, and not at all without one. */
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
        for (const [name, json] of await running.whole()) listener.tell(name, json);
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
  { topics, onChange, lookEveryMs }: FeedOptions<Name>,
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
      for (const listener of listeners) listener.tell(name, json);
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
  const looks = names.map((name) => setInterval(changed, topics[name].lookEveryMs ?? lookEveryMs, name));
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
