import type { World } from '../kernel/world.ts';

/** The connections to stores that whoever runs a command keeps until it ends, so that each of its questions finds one open. */
export interface Connections extends Disposable {
  /** Lives as long as they do; names are looked up in it. */
  readonly world: World;
  /** What was opened under this key, else what `open` gives. A key is of one type, and says everything that decides where it leads. */
  keep<T extends { close(): void }>(key: string, open: () => T): T;
}

/** Keeps none yet. Its disposal closes all. */
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
