import type { Socket } from 'node:net';
import type { ModelId } from '../../kernel/model-id.ts';
import type { LocalStore } from '../../store/contract.ts';

/** The connections that receive files of models. */
export interface Receivers {
  /** Notes that a file of a model is sent to a connection, until the returned function is called. */
  add(modelId: ModelId, socket: Socket, path: string): () => void;
}

/**
 * Ends the connections that receive a file when it is removed from the store. An open file outlives its name, so whoever receives a
 * model that was deleted would go on to the end.
 */
export function createReceivers(store: Pick<LocalStore, 'onRemoved'>): Receivers {
  const receivers = new Map<ModelId, Map<Socket, string>>();
  store.onRemoved((modelId, files) => {
    for (const [socket, path] of receivers.get(modelId) ?? []) if (files === undefined || files.has(path)) socket.destroy();
  });
  return {
    add: (modelId, socket, path) => {
      const sockets = receivers.get(modelId) ?? new Map<Socket, string>();
      receivers.set(modelId, sockets.set(socket, path));
      return () => {
        sockets.delete(socket);
        if (sockets.size === 0) receivers.delete(modelId);
      };
    },
  };
}
