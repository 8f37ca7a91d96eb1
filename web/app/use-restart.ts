import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { NodeTopics } from '../../src/core/protocol/events.ts';
import { callOf } from '../api/call.ts';
import type { Client } from '../api/client.ts';
import type { Live } from '../api/live.ts';
import type { Restart } from '../parts/app-context.ts';

/** A server that needs longer has probably not started again. */
const patienceMs = 60_000;

/** Restarts the server of this page, and tells when it is back. */
export function useRestart({
  client,
  node,
  hostname,
  tell,
}: {
  readonly client: Client;
  readonly node: Live<NodeTopics>;
  readonly hostname: string;
  readonly tell: (text: string, tone?: 'good' | 'bad') => void;
}): Restart {
  // The stream before the restart; a later one comes from the new server.
  const [before, setBefore] = useState<number>();
  const { status, round } = useSyncExternalStore(node.subscribe, node.state);
  const isRunning = before !== undefined;
  const isBack = isRunning && status === 'live' && round > before;
  useEffect(() => {
    if (!isBack) return;
    setBefore(undefined);
    tell(`skulk on ${hostname} was restarted.`);
  }, [isBack, hostname, tell]);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setTimeout(() => {
      setBefore(undefined);
      tell(`skulk on ${hostname} has not started again. Its log says why.`, 'bad');
    }, patienceMs);
    return () => clearTimeout(timer);
  }, [isRunning, hostname, tell]);
  const begin = useCallback(async () => {
    const { round: now } = node.state();
    await client.send(callOf('POST /node/restart', {}));
    setBefore(now);
  }, [client, node]);
  return useMemo(() => ({ isRunning, begin }), [isRunning, begin]);
}
