import { useEffect, useRef } from 'react';
import type { DownloadStatus } from '../../src/core/protocol/downloads.ts';
import type { StagingJob } from '../../src/core/protocol/staging.ts';
import { hasAsked } from '../pages/store/moving/troubles.ts';
import { formatNamed, keyOfDownload, nameOfDownload } from '../pages/store/quantizations.ts';
import { useApp, useNode, useStore } from '../parts/app-context.ts';
import { toSentence } from '../parts/to-sentence.ts';

/** Tells when a download or a stage ends while any page is open. */
export function Watcher(): null {
  const { tell, identity } = useApp();
  const downloads = useStore().topics.downloads?.downloads;
  const jobs = useNode().topics.staging?.jobs;
  useEnding<DownloadStatus>(downloads, keyOfDownload, ({ status, error, error_code, ...download }) => {
    if (status === 'complete') tell(`${nameOfDownload(download)} is in the store.`);
    // The store's page shows why; here it is said to the person who asked, wherever they are.
    else if (error_code !== 'CANCELLED' && hasAsked(download.modelId))
      tell(`The download of ${nameOfDownload(download)} failed: ${toSentence(error ?? 'no reason given')}`, 'bad');
  });
  useEnding<StagingJob>(jobs, nameOfJob, ({ status, error, error_code, ...job }) => {
    if (status === 'complete') tell(`${nameOfJob(job)} is staged on ${identity.hostname}.`);
    else if (error_code !== 'CANCELLED') tell(`Staging ${nameOfJob(job)} failed: ${toSentence(error ?? 'no reason given')}`, 'bad');
  });
  return null;
}

const nameOfJob = ({ model_id: modelId, selector }: Pick<StagingJob, 'model_id' | 'selector'>): string =>
  formatNamed({ modelId, selector: selector ?? undefined });

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
