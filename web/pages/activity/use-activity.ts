import { useEffect, useState } from 'react';
import type { ActivityView } from '../../../src/core/protocol/events.ts';
import type { SwarmList } from '../../../src/core/protocol/staging.ts';
import { type ApiError, asApiError } from '../../api/api-error.ts';
import { callOf } from '../../api/call.ts';
import { useApp, useStore } from '../../parts/app-context.ts';

/** As often as the store measures. */
const askEveryMs = 5_000;

/** The answers of the store; swarms are empty until it answers, and for a store that has none. */
interface Activity {
  readonly view?: ActivityView;
  readonly swarms: SwarmList['swarms'];
  readonly error?: ApiError;
}

/** What was done lately, how fast bytes move, and what nodes take together, asked again and again while the page is looked at. */
export function useActivity(): Activity {
  const { client } = useApp();
  const { topics } = useStore();
  const { registry, orders, nodes } = topics;
  const [state, setState] = useState<Activity>({ swarms: [] });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what changed in the store was done by somebody.
  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        if (document.visibilityState === 'visible') {
          const [view, { swarms }] = await Promise.all([
            client.get<ActivityView>(callOf('GET /store/activity', {}), ending.signal),
            client.get<SwarmList>(callOf('GET /store/swarm', {}), ending.signal).catch((): SwarmList => ({ swarms: [] })),
          ]);
          setState({ view, swarms });
        }
      } catch (error) {
        if (!ending.signal.aborted) setState((before) => ({ ...before, error: asApiError(error) }));
      }
      if (!ending.signal.aborted) timer = setTimeout(() => void ask(), askEveryMs);
    };
    void ask();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [client, registry, orders, nodes]);
  return state;
}
