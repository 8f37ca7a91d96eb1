import type { ReactElement } from 'react';
import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import { callOf } from '../../../api/call.ts';
import { useApp } from '../../../parts/app-context.ts';
import { IconButton } from '../../../parts/button.tsx';
import { Icon } from '../../../parts/icon.tsx';
import { Link } from '../../../parts/link.tsx';
import { ModelName } from '../../../parts/model-name.tsx';
import { pathOfModel } from '../../../parts/model-path.ts';
import { Progress } from '../../../parts/progress.tsx';
import { Sentence } from '../../../parts/sentence.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { nameOfDownload } from '../quantizations.ts';

/** A download that runs, waits or has just ended: what it brings, and how far it is. */
export function DownloadRow({
  download,
  lock,
  more,
}: {
  readonly download: DownloadStatus;
  readonly lock: string | undefined;
  /** What else there is to say of it, below its name. */
  readonly more?: string;
}): ReactElement {
  const { modelId, gguf_file, selector } = download;
  const part = selector ?? gguf_file;
  const name = <ModelName id={modelId} />;
  const isThere = download.status === 'complete';
  return (
    <li className={isThere ? 'ended' : undefined}>
      <div className="move-what">
        <Icon name={isThere ? 'check' : 'download'} />
        {isThere ? <Link to={pathOfModel(modelId)}>{name}</Link> : name} {part !== null && <span className="label">{part}</span>}
        {more !== undefined && <p className="muted row-more">{more}</p>}
      </div>
      <div className="move-state">
        <DownloadState download={download} />
      </div>
      {!isThere && <CancelDownload download={download} lock={lock} />}
    </li>
  );
}

/** How far a download is. */
export function DownloadState({ download }: { readonly download: DownloadStatus }): ReactElement {
  const { status, bytes_done, bytes_total } = download;
  const isWhole = bytes_total > 0 && bytes_done >= bytes_total;
  return (
    <>
      {status === 'pending' && <p className="muted">Waiting in the queue.</p>}
      {status === 'downloading' && (
        <Progress label={`Download of ${nameOfDownload(download)}`} note={isWhole ? 'checking' : undefined} {...download} />
      )}
      {status === 'complete' && <p className="good">In the store, verified</p>}
      {status === 'downloading' && bytes_total === 0 && <p className="muted">Asking Hugging Face for the file list.</p>}
    </>
  );
}

/** Stops a download. */
export function CancelDownload({ download, lock }: { readonly download: DownloadStatus; readonly lock: string | undefined }): ReactElement {
  const { client, tell } = useApp();
  const task = useTask<unknown>();
  const { modelId, download_id } = download;
  const name = nameOfDownload(download);
  const cancel = async (): Promise<void> => {
    const call = callOf('DELETE /store/models/:id/download', { id: modelId }, { download_id });
    if ((await task.change(() => client.send(call))) !== undefined) tell(`Stopped the download of ${name}.`);
  };
  return (
    <>
      <IconButton icon="close" label={`Cancel the download of ${name}`} lock={lock} disabled={task.isBusy} onClick={() => void cancel()} />
      {task.error !== undefined && (
        <p className="bad" role="alert">
          <Sentence text={task.error.message} />
        </p>
      )}
    </>
  );
}
