import { useEffect, useState } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models/shown-model.ts';
import { type ApiError, asApiError } from '../../api/api-error.ts';
import { callOf } from '../../api/call.ts';
import { useApp } from '../../parts/app-context.ts';

/** A model that is being hashed for the first time is looked at so often. */
const hashingMs = 2_000;

/** One model, closely; read when there is a stamp, and anew when it is another. */
export function useModel(modelId: string, stamp: string | undefined): { readonly model?: ShownModel; readonly error?: ApiError } {
  const { client } = useApp();
  const [state, setState] = useState<{ readonly model?: ShownModel; readonly error?: ApiError }>({});
  useEffect(() => {
    if (stamp === undefined) return;
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      try {
        const model = await client.get<ShownModel>(callOf('GET /store/models/:id', { id: modelId }), ending.signal);
        setState({ model });
        if (!model.hashed) timer = setTimeout(() => void read(), hashingMs);
      } catch (error) {
        if (!ending.signal.aborted) setState({ error: asApiError(error) });
      }
    };
    void read();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [client, modelId, stamp]);
  return state;
}
