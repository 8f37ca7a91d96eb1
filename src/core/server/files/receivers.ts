import type { Socket } from 'node:net';
import type { ModelId } from '../../kernel/model-id.ts';
import type { LocalStore } from '../../store/local-store.ts';

/** The connections that are receiving files of models. */
export interface Receivers {
  /** Records that a file of a model is being sent to a connection, until the returned function is called. */
  add(modelId: ModelId, socket: Socket, path: string): () => void;
}

/**
 * Closes the connections that are receiving a file when it is removed from the store. An open file outlives its name, so otherwise a
 * client would receive a deleted model to its end.
 */
export function createReceivers(store: Pick<LocalStore, 'onRemoved'>): Receivers {
  // One connection may receive several files: a client can request the next one before it has read the previous one.
  const receivers = new Map<ModelId, Set<{ readonly socket: Socket; readonly path: string }>>();
  store.onRemoved((modelId, files) => {
    for (const { socket, path } of receivers.get(modelId) ?? []) if (files === undefined || files.has(path)) socket.destroy();
  });
  return {
    add: (modelId, socket, path) => {
      const ofModel = receivers.get(modelId) ?? new Set();
      const receiver = { socket, path };
      receivers.set(modelId, ofModel.add(receiver));
      return () => {
        ofModel.delete(receiver);
        if (ofModel.size === 0 && receivers.get(modelId) === ofModel) receivers.delete(modelId);
      };
    },
  };
}
