import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import type { ApiError } from '../../../api/api-error.ts';
import { callOf } from '../../../api/call.ts';
import { useApp } from '../../../parts/app-context.ts';
import { useTask } from '../../../parts/use-task.ts';
import { nameOfDownload } from '../quantizations.ts';

/** Asks again for a download that stopped; the data that it left is used. */
export function useRetry(download: DownloadStatus): {
  readonly retry: () => void;
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
} {
  const { client, tell } = useApp();
  const task = useTask<unknown>();
  const { modelId, request } = download;
  const retry = async (): Promise<void> => {
    const call = callOf('POST /store/models/:id/download', { id: modelId });
    if ((await task.change(() => client.send(call, request))) !== undefined) tell(`Resumed the download of ${nameOfDownload(download)}.`);
  };
  return { retry: () => void retry(), isBusy: task.isBusy, error: task.error };
}
