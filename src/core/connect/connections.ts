import type { World } from '../kernel/world.ts';

/** The connections to stores that a command keeps until it ends, so that its requests can reuse them. */
export interface Connections extends Disposable {
  /** Lives as long as the connections; lookups are cached by it. */
  readonly world: World;
  /** Returns the connection with this key, or opens it. A key has one type, and includes everything that determines the target. */
  keep<T extends { close(): void }>(key: string, open: () => T): T;
}

/** Starts without connections. Its disposal closes all. */
export function createConnections(world: World): Connections {
  const kept = new Map<string, { close(): void }>();
  return {
    world,
    keep: <T extends { close(): void }>(key: string, open: () => T): T => {
      const known = kept.get(key) as T | undefined;
      if (known !== undefined) return known;
      const opened = open();
      kept.set(key, opened);
      return opened;
    },
    [Symbol.dispose]: () => {
      for (const one of kept.values()) one.close();
      kept.clear();
    },
  };
}
