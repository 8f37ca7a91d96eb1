import { useEffect, useState } from 'react';
import type { OfferedQuantization } from '../../../../src/core/protocol/models/hub-offer.ts';
import type { ShownModel } from '../../../../src/core/protocol/models/shown-model.ts';
import { type ApiError, asApiError } from '../../../api/api-error.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp, useIsPythonHost } from '../../../parts/app-context.ts';
import { askOffer } from '../../add/look-up.ts';

/** The quantizations of a model's repo on Hugging Face. */
export interface Offered {
  /** Undefined until they are known, and for a model that does not come from there: its name may be a secret. */
  readonly quantizations: readonly OfferedQuantization[] | undefined;
  readonly error: ApiError | undefined;
  readonly retry: () => void;
}

/** Asks Hugging Face for the quantizations of a model that came from there, if this tab may. */
export function useOffered({ model_id: modelId, revision, source, not_in_store }: ShownModel): Offered {
  const { client } = useApp();
  const { models: lock } = useLocks();
  const isPython = useIsPythonHost();
  const [state, setState] = useState<Pick<Offered, 'quantizations' | 'error'>>({ quantizations: undefined, error: undefined });
  const [attempt, setAttempt] = useState(0);
  const isWanted = !isPython && lock === undefined && (source === 'hub' || source === 'store' || not_in_store !== undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt asks again
  useEffect(() => {
    if (!isWanted) return;
    const ending = new AbortController();
    askOffer(client, { modelId, revision: revision ?? undefined, mayBeKept: false }, ending.signal).then(
      ({ quantizations }) => setState({ quantizations, error: undefined }),
      (error: unknown) => {
        if (!ending.signal.aborted) setState((before) => ({ ...before, error: asApiError(error) }));
      },
    );
    return () => ending.abort();
  }, [client, modelId, revision, isWanted, attempt]);
  return { ...state, retry: () => setAttempt(attempt + 1) };
}
