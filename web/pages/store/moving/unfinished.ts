import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import type { ListedUpload } from '../../../../src/core/protocol/uploads.ts';

/** What takes space in the store without being a model yet. */
export interface Unfinished {
  readonly bytes: number;
  /** Of these, what downloads that run have fetched. */
  readonly movingBytes: number;
  /** The downloads that stopped and left data, the last one first. */
  readonly stopped: readonly DownloadStatus[];
}

/** Adds up the data of uploads and downloads that are not finished. Pure. */
export function sumUnfinished(downloads: readonly DownloadStatus[], uploads: readonly Pick<ListedUpload, 'bytes_done'>[]): Unfinished {
  const sum = (some: readonly { readonly bytes_done: number }[]): number => some.reduce((total, { bytes_done }) => total + bytes_done, 0);
  const stopped = downloads.filter(({ status, bytes_done }) => status === 'failed' && bytes_done > 0);
  const movingBytes = sum(downloads.filter(({ status }) => status === 'pending' || status === 'downloading'));
  return {
    bytes: sum(uploads) + sum(stopped) + movingBytes,
    movingBytes,
    stopped: stopped.toSorted((a, b) => (a.updated_at < b.updated_at ? 1 : -1)),
  };
}
