import { useEffect, useRef, useState } from 'react';
import type { CountedEntry } from '../../../../src/core/protocol/models/entries.ts';
import type { ShownModel } from '../../../../src/core/protocol/models/shown-model.ts';
import { callOf } from '../../../api/call.ts';
import { useApp } from '../../../parts/app-context.ts';
import type { StoredDigests } from '../quantizations.ts';
import { type Copies, listComparable } from './list-comparable.ts';

/** After a failure, or while the store hashes a model, it is asked again no sooner. */
const againAfterMs = 30_000;

/**
 * The digests of the staged models, which the list of the store does not have. One model is read after the other, and again when the store
 * has changed it.
 */
export function useDigests(entries: readonly CountedEntry[], copies: Copies): ReadonlyMap<string, StoredDigests> {
  const { client } = useApp();
  const [known, setKnown] = useState<ReadonlyMap<string, StoredDigests>>(new Map());
  const stamps = useRef(new Map<string, string>());
  // A text, so that a report of a node without new models reads nothing.
  const wanted = JSON.stringify(listComparable(entries, copies));
  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      let isMissing = false;
      for (const [modelId, stamp] of JSON.parse(wanted) as [string, string][]) {
        if (stamps.current.get(modelId) === stamp) continue;
        const call = callOf('GET /store/models/:id', { id: modelId });
        const model = await client.get<ShownModel>(call, ending.signal).catch(() => undefined);
        if (ending.signal.aborted) return;
        if (model?.hashed === true) {
          stamps.current.set(modelId, stamp);
          setKnown((before) => new Map(before).set(modelId, model));
        } else isMissing = true;
      }
      if (isMissing) timer = setTimeout(() => void read(), againAfterMs);
    };
    void read();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [client, wanted]);
  return known;
}
