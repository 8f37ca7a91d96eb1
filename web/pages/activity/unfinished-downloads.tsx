import { type ReactElement, useId } from 'react';
import type { DownloadStatus } from '../../../src/core/protocol/downloads.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { Age } from '../../parts/age.tsx';
import { useStore } from '../../parts/app-context.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { formatBytes } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Progress } from '../../parts/progress.tsx';
import { Sentence } from '../../parts/sentence.tsx';
import { sumUnfinished } from '../store/moving/unfinished.ts';
import { useClear } from '../store/moving/use-clear.ts';
import { useRetry } from '../store/moving/use-retry.ts';
import { keyOfDownload, nameOfDownload } from '../store/quantizations.ts';

/** What takes space in the store without being a model yet, and the downloads that stopped; nothing if there are none. */
export function UnfinishedDownloads(): ReactElement | null {
  const { downloads, uploads } = useStore().topics;
  const { models: lock } = useLocks();
  const title = useId();
  const { bytes, movingBytes, stopped } = sumUnfinished(downloads?.downloads ?? [], uploads?.uploads ?? []);
  if (bytes === 0) return null;
  return (
    <section className="card flush" aria-labelledby={title}>
      <header className="card-head">
        <h2 id={title}>Unfinished</h2>
        <p className="muted">
          {formatBytes(bytes)} in the store{describeMoving(movingBytes, bytes)}
        </p>
      </header>
      {stopped.length > 0 && (
        <ul className="moves stopped" aria-label="Stopped downloads">
          {stopped.map((download) => (
            <Stopped key={keyOfDownload(download)} download={download} lock={lock} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** Which part of the data belongs to downloads that run. Pure. */
function describeMoving(movingBytes: number, bytes: number): string {
  if (movingBytes === 0) return '';
  return `, ${movingBytes === bytes ? 'all' : formatBytes(movingBytes)} of it from running downloads`;
}

function Stopped({ download, lock }: { readonly download: DownloadStatus; readonly lock: string | undefined }): ReactElement {
  const { retry, isBusy, error } = useRetry(download);
  const clearing = useClear([download]);
  const { modelId, selector, gguf_file, bytes_done, bytes_total, updated_at, error_code } = download;
  const part = selector ?? gguf_file;
  const name = nameOfDownload(download);
  const failure = error ?? clearing.error;
  const reason = failure?.message ?? download.error;
  return (
    <li>
      <div className="move-what">
        <Icon name="download" />
        <ModelName id={modelId} /> {part !== null && <span className="label">{part}</span>}
      </div>
      <div className="move-state">
        {bytes_total > 0 && (
          <Progress
            label={`Stopped download of ${name}`}
            bytes_done={bytes_done}
            bytes_total={bytes_total}
            bytes_per_second={null}
            seconds_left={null}
            isStopped
          />
        )}
        <p className="muted row-more">
          Stopped <Age at={updated_at} />, holds {formatBytes(bytes_done)}.
        </p>
        {reason !== null && (failure !== undefined || error_code !== 'CANCELLED') && (
          <p className="muted row-more">
            <Sentence text={reason} />
          </p>
        )}
      </div>
      <div className="move-actions">
        <Button icon="retry" label={`Resume the download of ${name}`} lock={lock} disabled={isBusy} onClick={retry}>
          Resume
        </Button>
        {clearing.clear !== undefined && (
          <IconButton
            icon="close"
            label={`Clear the download of ${name} from the list`}
            lock={lock}
            disabled={clearing.isBusy}
            onClick={clearing.clear}
          />
        )}
      </div>
    </li>
  );
}
