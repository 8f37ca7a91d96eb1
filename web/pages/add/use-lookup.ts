import { useEffect, useState } from 'react';
import { type ApiError, asApiError } from '../../api/api-error.ts';
import type { RefParts } from '../../api/model-ref.ts';
import { useApp, useStore } from '../../parts/app-context.ts';
import { type Found, lookUp } from './look-up.ts';

interface State {
  readonly key: string;
  readonly found?: Found | undefined;
  readonly error?: ApiError | undefined;
}

/** What Hugging Face has of a model, looked up anew when the store's model changes; what is known stays until then. */
export function useLookup(
  { modelId, revision, selector }: RefParts,
  isWanted: boolean,
): { readonly found: Found | undefined; readonly error: ApiError | undefined; readonly retry: () => void } {
  const { client } = useApp();
  const entry = useStore().topics.registry?.entries.find(({ model_id }) => model_id === modelId);
  const stamp = entry && `${entry.downloaded_at} ${entry.total_bytes} ${entry.file_count}`;
  const key = `${modelId} ${revision ?? ''} ${selector ?? ''}`;
  const [state, setState] = useState<State>();
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another stamp or attempt asks again
  useEffect(() => {
    if (!isWanted) return;
    const ending = new AbortController();
    lookUp(client, { modelId, revision, selector }, ending.signal).then(
      (found) => setState({ key, found }),
      (error: unknown) => {
        if (!ending.signal.aborted)
          setState((before) => (before?.key === key && before.found ? before : { key, error: asApiError(error) }));
      },
    );
    return () => ending.abort();
  }, [client, key, isWanted, stamp, attempt]);
  const now = state?.key === key ? state : undefined;
  return {
    found: now?.found,
    error: now?.error,
    retry: () => {
      setState(undefined);
      setAttempt(attempt + 1);
    },
  };
}
