import { useEffect, useState } from 'react';
import type { NodeTopics, StoreTopics } from '../../src/core/protocol/events.ts';
import { callOf } from '../api/call.ts';
import type { Client } from '../api/client.ts';
import { follow, type Live } from '../api/live.ts';

/** The streams that the page follows. */
export interface Streams {
  readonly store: Live<StoreTopics>;
  readonly node: Live<NodeTopics>;
}

/** Follows the store and this node as long as there is a client. */
export function useStreams(client: Client | undefined): Streams | undefined {
  const [streams, setStreams] = useState<Streams>();
  useEffect(() => {
    if (client === undefined) return;
    const store = follow<StoreTopics>(client, callOf('GET /store/events', {}));
    const node = follow<NodeTopics>(client, callOf('GET /node/events', {}));
    setStreams({ store, node });
    return () => {
      store.stop();
      node.stop();
      setStreams(undefined);
    };
  }, [client]);
  return streams;
}
