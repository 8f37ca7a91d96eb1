import type { ReactElement } from 'react';
import { keyOfDownload, nameDownload } from '../../../../core/protocol/downloads.ts';
import { downloadColumns } from '../../lists/download-columns.ts';
import { List } from '../../parts/list.tsx';
import { useDashboard } from '../context.ts';
import { actOnDownload } from '../download-keys.ts';

/** The store's downloads from Hugging Face. */
export function DownloadsTab(): ReactElement {
  const dashboard = useDashboard();
  const { view, width, height, listOf, show, open } = dashboard;
  const downloads = view.store?.downloads ?? null;
  return (
    <List
      columns={downloadColumns}
      rows={downloads ?? []}
      keyOf={keyOfDownload}
      wordsOf={(download) => [nameDownload(download), download.status, download.gguf_file].join(' ')}
      width={width}
      height={height}
      {...listOf('downloads')}
      empty={
        downloads === null
          ? ['Loading from the store…']
          : ['Nothing is being downloaded.', '', 'Press a to download a model from Hugging Face by name.']
      }
      onKey={(key, download) => {
        if (key === 'a') open({ kind: 'add' });
        else if (download === undefined) return false;
        else if (key === 'enter') show({ kind: 'download', modelId: download.modelId, key: keyOfDownload(download) });
        else return actOnDownload(dashboard, key, download);
        return true;
      }}
    />
  );
}
