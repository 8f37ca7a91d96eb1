import { useEffect, useRef } from 'react';
import type { DownloadStatus } from '../../src/core/protocol/downloads.ts';
import type { StagingJob } from '../../src/core/protocol/staging.ts';
import { useApp, useNode, useStore } from '../parts/app-context.ts';
import { toSentence } from '../parts/to-sentence.ts';

/** Tells when a download or a stage ends while the page is open, whoever asked for it and whichever page is shown. */
export function Watcher(): null {
  const { tell } = useApp();
  const downloads = useStore().topics.downloads?.downloads;
  const jobs = useNode().topics.staging?.jobs;
  useEnding<DownloadStatus>(
    downloads,
    ({ modelId }) => modelId,
    ({ modelId, status, error, error_code }) => {
      if (status === 'complete') tell(`${modelId} is in the store.`);
      else if (error_code !== 'CANCELLED') tell(`The download of ${modelId} failed: ${toSentence(error ?? 'no reason given')}`, 'bad');
    },
  );
  useEnding<StagingJob>(
    jobs,
    ({ model_id }) => model_id,
    ({ model_id, status, path, error, error_code }) => {
      if (status === 'complete') tell(`${model_id} is staged at ${path ?? 'this machine'}.`);
      else if (error_code !== 'CANCELLED') tell(`Staging ${model_id} failed: ${toSentence(error ?? 'no reason given')}`, 'bad');
    },
  );
  return null;
}

interface Work {
  readonly status: string;
  readonly updated_at: string;
}

/** Calls back for everything that has ended since the list was last seen; what had ended before is old. */
function useEnding<T extends Work>(list: readonly T[] | undefined, idOf: (one: T) => string, onEnd: (one: T) => void): void {
  const before = useRef<ReadonlyMap<string, string>>(undefined);
  useEffect(() => {
    if (list === undefined) return;
    const now = new Map(list.map((one) => [idOf(one), `${one.status} ${one.updated_at}`]));
    for (const one of list) {
      const hasEnded = one.status === 'complete' || one.status === 'failed';
      if (hasEnded && before.current !== undefined && before.current.get(idOf(one)) !== now.get(idOf(one))) onEnd(one);
    }
    before.current = now;
  });
}
