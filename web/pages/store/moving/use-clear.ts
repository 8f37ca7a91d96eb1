import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import type { ApiError } from '../../../api/api-error.ts';
import { callOf } from '../../../api/call.ts';
import { useApp, useIsPythonHost } from '../../../parts/app-context.ts';
import { plural } from '../../../parts/format.ts';
import { useTask } from '../../../parts/use-task.ts';
import { nameOfDownload } from '../quantizations.ts';

/** Removes ended downloads from the list of the store, for everybody; the data of unfinished ones stays for the next try. */
export function useClear(downloads: readonly DownloadStatus[]): {
  /** Undefined for a store that has no such request. */
  readonly clear: (() => void) | undefined;
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
} {
  const { client, tell } = useApp();
  const isPython = useIsPythonHost();
  const task = useTask<number>();
  const work = async (): Promise<number> => {
    for (const { modelId, download_id } of downloads)
      await client.send(callOf('DELETE /store/downloads', {}, { model_id: modelId, download_id }));
    return downloads.length;
  };
  const clear = async (): Promise<void> => {
    const [one, ...others] = downloads;
    if (one === undefined || (await task.change(work)) === undefined) return;
    const what = others.length === 0 ? `the download of ${nameOfDownload(one)}` : plural(downloads.length, 'download');
    tell(`Cleared ${what} from the list. Downloaded data is kept.`);
  };
  return { clear: isPython ? undefined : () => void clear(), isBusy: task.isBusy, error: task.error };
}
