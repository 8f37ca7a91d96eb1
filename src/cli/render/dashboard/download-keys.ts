import { type DownloadStatus, nameDownload } from '../../../core/protocol/downloads.ts';
import type { Key } from '../parts/read-keys.ts';
import type { DashboardContext } from './context.ts';

/** Handles the keys for a download, in the list and on its page. */
export function actOnDownload({ acts, run }: DashboardContext, key: Key, download: DownloadStatus): boolean {
  const name = nameDownload(download);
  if (key === 'c') run(() => acts.cancelDownload(download), `stopped the download of ${name}; downloaded data is kept`);
  else if (key === 'r') run(() => acts.downloadAgain(download), `resumed the download of ${name}`);
  else if (key === 'x')
    run(
      () => acts.clearDownload(download),
      (cleared) =>
        cleared > 0
          ? { text: `cleared the download of ${name} from the list; downloaded data is kept`, tone: 'good' }
          : { text: `the download of ${name} has not ended; c cancels it`, tone: 'warn' },
    );
  else return false;
  return true;
}
