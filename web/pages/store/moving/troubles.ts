import { useState } from 'react';
import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import { keyOfDownload } from '../quantizations.ts';

const ofBrowser = 'skulk-dismissed';
const ofTab = 'skulk-asked';
/** So many are remembered, the last ones. */
const maxKept = 100;

/** A download that is asked for again is another one. */
const keyOf = (download: DownloadStatus): string => `${keyOfDownload(download)} ${download.updated_at}`;

function readList(storage: Storage, key: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(storage.getItem(key) ?? '[]');
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

const append = (storage: Storage, key: string, values: readonly string[]): void =>
  storage.setItem(key, JSON.stringify([...new Set([...readList(storage, key), ...values])].slice(-maxKept)));

/** Remembers that this tab asked for a model, so that it shows what became of it. */
export const rememberAsked = (modelId: string): void => append(sessionStorage, ofTab, [modelId]);

/** Whether this tab asked for a model. */
export const hasAsked = (modelId: string): boolean => readList(sessionStorage, ofTab).includes(modelId);

/**
 * Whether a download ended in a way that a person should see. A request that fetched nothing, such as one with a misspelt name, is seen
 * only where it was made. Pure.
 */
export function isTrouble({ status, error_code, warnings, bytes_done }: DownloadStatus, wasAskedHere: boolean): boolean {
  if (status === 'complete') return warnings.length > 0;
  return status === 'failed' && error_code !== 'CANCELLED' && (bytes_done > 0 || wasAskedHere);
}

/** The downloads of a list that went wrong and that nobody has dismissed in this browser. */
export function useTroubles(downloads: readonly DownloadStatus[]): {
  readonly troubles: readonly DownloadStatus[];
  readonly dismiss: (some: readonly DownloadStatus[]) => void;
} {
  const [dismissed, setDismissed] = useState(() => readList(localStorage, ofBrowser));
  return {
    troubles: downloads.filter((one) => isTrouble(one, hasAsked(one.modelId)) && !dismissed.includes(keyOf(one))),
    dismiss: (some) => {
      append(localStorage, ofBrowser, some.map(keyOf));
      setDismissed(readList(localStorage, ofBrowser));
    },
  };
}
