import { useEffect, useState } from 'react';
import type { ActivityView } from '../../../src/core/protocol/events.ts';
import { type ApiError, asApiError } from '../../api/api-error.ts';
import { callOf } from '../../api/call.ts';
import { useApp, useStore } from '../../parts/app-context.ts';

/** As often as the store measures. */
const askEveryMs = 5_000;

/** What was done lately and how fast bytes move, asked again and again while the page is looked at. */
export function useActivity(): { readonly view?: ActivityView; readonly error?: ApiError } {
  const { client } = useApp();
  const { topics } = useStore();
  const { registry, orders, nodes } = topics;
  const [state, setState] = useState<{ readonly view?: ActivityView; readonly error?: ApiError }>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: what changed in the store was done by somebody.
  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        if (document.visibilityState === 'visible') {
          const view = await client.get<ActivityView>(callOf('GET /store/activity', {}), ending.signal);
          setState({ view });
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
