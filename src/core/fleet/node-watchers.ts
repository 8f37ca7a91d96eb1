import type { NodeId } from '../kernel/machine/node-id.ts';

/** The nodes that are listening for orders. */
export interface NodeWatchers {
  /** Calls the listener whenever an order was given. The returned function removes it. */
  add(nodeId: NodeId, wake: () => void): () => void;
  has(nodeId: NodeId): boolean;
  wakeAll(): void;
}

/** Starts without listeners. */
export function createNodeWatchers(): NodeWatchers {
  const watchers = new Map<NodeId, Set<() => void>>();
  return {
    add: (nodeId, wake) => {
      const set = watchers.get(nodeId) ?? new Set();
      watchers.set(nodeId, set);
      set.add(wake);
      return () => {
        set.delete(wake);
        if (set.size === 0) watchers.delete(nodeId);
      };
    },
    has: (nodeId) => watchers.has(nodeId),
    wakeAll: () => {
      for (const set of watchers.values()) for (const wake of [...set]) wake();
    },
  };
}
