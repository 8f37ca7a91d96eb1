import type { DownloadStatus } from '../../../core/protocol/downloads.ts';
import type { Key } from '../parts/read-keys.ts';
import type { DashboardContext } from './context.ts';

/** What the keys do with a download, in the list and when it is looked at. */
export function actOnDownload(
  { acts, run }: DashboardContext,
  key: Key,
  { modelId, revision, selector, gguf_file }: DownloadStatus,
): boolean {
  if (key === 'c') run(() => acts.cancelDownload(modelId), `stopped the download of ${modelId}; downloaded data is kept`);
  else if (key === 'r') {
    const ref = { modelId, ...(revision !== null && { revision }), ...(selector !== null && { selector }) };
    run(() => acts.download(ref, gguf_file ?? undefined), `resumed the download of ${modelId}`);
  } else return false;
  return true;
}
