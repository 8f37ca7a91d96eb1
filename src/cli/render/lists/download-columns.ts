import { wordsOfCode } from '../../../core/protocol/describe/activity.ts';
import { type DownloadStatus, nameDownload } from '../../../core/protocol/downloads.ts';
import { progressBar } from '../parts/bar.ts';
import { formatBytes, formatLeft, formatRate } from '../parts/format.ts';
import type { Cell, Column } from '../parts/lay-out.ts';

/** A store's downloads as a table. */
export const downloadColumns: readonly Column<DownloadStatus>[] = [
  { title: 'MODEL', flexMinWidth: 22, cut: 'middle', cell: nameDownload },
  { title: 'STATUS', cell: statusOf },
  {
    title: 'PROGRESS',
    width: 18,
    preferredWidth: 40,
    dropOrder: 1,
    cell: (download, width) => progressOf(download, download.status, width),
  },
  { title: 'BYTES', dropOrder: 4, cell: amountOf },
  { title: 'RATE', align: 'right', dropOrder: 3, cell: ({ bytes_per_second }) => formatRate(bytes_per_second) },
  { title: 'LEFT', align: 'right', dropOrder: 2, cell: ({ seconds_left }) => formatLeft(seconds_left) },
];

const waiting = 'waiting in the queue';
const tones = { pending: 'quiet', downloading: 'accent', complete: 'good', failed: 'bad' } as const;

function statusOf({ status }: DownloadStatus): Cell {
  return { text: status === 'pending' ? 'waiting' : status, tone: tones[status] };
}

/** A bar with its percentage, or why it failed: as a sentence, or by the words of its code where that has no room. */
export function progressOf(
  {
    bytes_done,
    bytes_total,
    error,
    error_code: code,
  }: Pick<DownloadStatus, 'bytes_done' | 'bytes_total' | 'error'> & { readonly error_code?: string | null },
  status: 'pending' | 'downloading' | 'staging' | 'complete' | 'failed',
  width: number,
): Cell {
  if (status === 'failed') {
    const sentence = error ?? 'failed';
    return { text: sentence.length > width && code != null ? wordsOfCode(code) : sentence, tone: 'bad' };
  }
  if (status === 'complete') return '';
  if (bytes_total === 0)
    return { text: status !== 'pending' ? 'asking…' : width < waiting.length ? 'in the queue' : waiting, tone: 'quiet' };
  const done = bytes_done / bytes_total;
  return { parts: [...progressBar(done, width - 5), `${Math.floor(done * 100)}%`.padStart(5)] };
}

/** `1.2 of 4.7 GiB`, or only the total if it is complete. */
export function amountOf({ bytes_done, bytes_total }: Pick<DownloadStatus, 'bytes_done' | 'bytes_total'>): string {
  if (bytes_total === 0) return '';
  return bytes_done >= bytes_total ? formatBytes(bytes_total) : `${formatBytes(bytes_done)} of ${formatBytes(bytes_total)}`;
}
