import type { ReactElement } from 'react';
import type { ModelId } from '../../../../core/kernel/model-id.ts';
import { keyOfDownload, nameDownload } from '../../../../core/protocol/downloads.ts';
import { amountOf } from '../../lists/download-columns.ts';
import { progressBar } from '../../parts/bar.ts';
import { factLines } from '../../parts/facts.ts';
import { formatAge, formatLeft, formatRate, formatTime } from '../../parts/format.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';
import { actOnDownload } from '../download-keys.ts';
import { DetailsPage } from './details-page.tsx';

/** A download: the requested files, the progress, and the error if it failed. */
export function DownloadDetailsPage({ modelId, of }: { readonly modelId: ModelId; readonly of: string }): ReactElement {
  const dashboard = useDashboard();
  const { view, now, width } = dashboard;
  const download = view.store?.downloads?.find((one) => keyOfDownload(one) === of);
  if (download === undefined)
    return <DetailsPage title={modelId} lines={[[{ text: '  The store no longer lists it.', tone: 'warn' }]]} onKey={() => false} />;
  const {
    status,
    bytes_done,
    bytes_total,
    bytes_per_second,
    seconds_left,
    error,
    hint,
    revision,
    commit,
    gguf_file,
    selector,
    created_at,
    updated_at,
  } = download;
  const isMoving = status === 'downloading' && bytes_total > 0;
  const bar: readonly (readonly Part[])[] = isMoving
    ? [['  ', ...progressBar(bytes_done / bytes_total, Math.min(60, width - 8)), ` ${Math.floor((bytes_done / bytes_total) * 100)}%`], []]
    : [];
  const facts = factLines(
    [
      ['status', status === 'pending' ? 'waiting in the queue' : status, status === 'failed' ? 'bad' : 'plain'],
      ['bytes', amountOf(download)],
      ['rate', formatRate(bytes_per_second)],
      ['left', formatLeft(seconds_left)],
      ['error', error, 'bad'],
      ['hint', hint],
      ['file', gguf_file ?? selector],
      ['revision', revision],
      ['commit', commit],
      ['asked', `${formatTime(created_at)}, ${formatAge(created_at, now)}`],
      ['changed', formatTime(updated_at)],
    ],
    width,
  );
  return <DetailsPage title={nameDownload(download)} lines={[...bar, ...facts]} onKey={(key) => actOnDownload(dashboard, key, download)} />;
}
