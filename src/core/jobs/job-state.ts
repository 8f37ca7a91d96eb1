import type { DownloadRequest, DownloadStatus } from './contract.ts';

/** A job as it begins. */
export const newState = ({ modelId, revision, ggufFile, selector, exact = false }: DownloadRequest, now: Date): DownloadStatus => ({
  modelId,
  status: 'pending',
  progress: 0,
  error: null,
  bytes_done: 0,
  bytes_total: 0,
  bytes_per_second: null,
  seconds_left: null,
  error_code: null,
  hint: null,
  revision: revision ?? null,
  commit: null,
  gguf_file: ggufFile ?? null,
  selector: selector ?? null,
  exact,
  created_at: now.toISOString(),
  updated_at: now.toISOString(),
});

/** Whether a job brings what is asked for: the same, or anything when nothing special is asked for. */
export const isCovered = ({ revision, ggufFile, selector }: DownloadRequest, job: DownloadStatus): boolean =>
  (revision === undefined || revision === (job.revision ?? 'main')) &&
  (ggufFile === undefined || ggufFile === job.gguf_file) &&
  (selector === undefined || selector === job.selector);
