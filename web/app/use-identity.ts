import { useEffect, useState, useSyncExternalStore } from 'react';
import type { NodeTopics } from '../../src/core/protocol/events.ts';
import type { NodeIdentity } from '../../src/core/protocol/health.ts';
import { callOf } from '../api/call.ts';
import type { Client } from '../api/client.ts';
import type { Live } from '../api/live.ts';

/** The identity of this node; a restarted server may be another one, or newer than this page. */
export function useIdentity({
  client,
  node,
  first,
  tell,
}: {
  readonly client: Client;
  readonly node: Live<NodeTopics>;
  readonly first: NodeIdentity;
  readonly tell: (text: string) => void;
}): NodeIdentity {
  const [identity, setIdentity] = useState(first);
  const { round } = useSyncExternalStore(node.subscribe, node.state);
  useEffect(() => {
    if (round < 2) return;
    let isOver = false;
    client.get<NodeIdentity>(callOf('GET /node/identity', {})).then(
      (now) => {
        if (isOver) return;
        setIdentity(now);
        if (now.version !== first.version) tell(`This server now runs skulk ${now.version}. Reload the page to use its version.`);
      },
      // The stream reports the loss.
      () => {},
    );
    return () => {
      isOver = true;
    };
  }, [client, round, first.version, tell]);
  return identity;
}
