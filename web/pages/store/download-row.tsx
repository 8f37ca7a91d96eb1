import type { ReactElement } from 'react';
import type { DownloadStatus } from '../../../src/core/protocol/downloads.ts';
import { callOf } from '../../api/call.ts';
import { useApp } from '../../parts/app-context.ts';
import { IconButton } from '../../parts/button.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Progress } from '../../parts/progress.tsx';
import { Sentence } from '../../parts/sentence.tsx';
import { useNarrow } from '../../parts/use-narrow.ts';
import { useTask } from '../../parts/use-task.ts';
import { nameOfDownload } from './quantizations.ts';

/** A download in the list of models: how far it is, or why it ended. */
export function DownloadRow({
  download,
  lock,
  onDismiss,
}: {
  readonly download: DownloadStatus;
  readonly lock: string | undefined;
  readonly onDismiss: () => void;
}): ReactElement {
  const { client, tell } = useApp();
  const task = useTask<unknown>();
  const isNarrow = useNarrow();
  const { modelId, status, gguf_file, selector } = download;
  const part = gguf_file ?? selector;
  const name = nameOfDownload(download);
  const ask = async (work: (signal: AbortSignal) => Promise<unknown>, says: string): Promise<void> => {
    if ((await task.start(work)) !== undefined) tell(says);
  };
  const cancel = (): Promise<void> =>
    ask(
      (signal) =>
        client.send(callOf('DELETE /store/models/:id/download', { id: modelId }, { download_id: download.download_id }), undefined, signal),
      `Stopped the download of ${name}.`,
    );
  const retry = (): Promise<void> =>
    ask(
      (signal) => client.send(callOf('POST /store/models/:id/download', { id: modelId }), download.request, signal),
      `Resumed the download of ${name}.`,
    );
  const state = (
    <div className="download-state">
      {status === 'pending' && <p className="muted">Waiting in the queue.</p>}
      {status === 'downloading' && <Progress label={`Download of ${name}`} {...download} />}
      {status === 'downloading' && download.bytes_total === 0 && <p className="muted">Asking Hugging Face for the file list.</p>}
      {status === 'failed' && (
        <p className="bad">
          <Sentence text={download.error ?? 'failed'} />{' '}
          {download.hint !== null && (
            <span className="muted">
              <Sentence text={download.hint} />
            </span>
          )}
        </p>
      )}
      {status === 'complete' &&
        download.warnings.map((text) => (
          <p key={text} className="bad">
            <Sentence text={text} />
          </p>
        ))}
      {task.error !== undefined && (
        <p className="bad" role="alert">
          <Sentence text={task.error.message} />
        </p>
      )}
    </div>
  );
  return (
    <tr className={`download ${status}`}>
      <th scope="row" colSpan={isNarrow ? 2 : 1}>
        <ModelName id={modelId} />
        {part !== null && <p className="muted row-more">{part}</p>}
        {isNarrow && state}
      </th>
      {!isNarrow && <td colSpan={4}>{state}</td>}
      <td className="actions">
        {status === 'complete' ? (
          <IconButton icon="close" label={`Dismiss the warnings about ${name}`} onClick={onDismiss} />
        ) : status === 'failed' ? (
          <>
            <IconButton icon="retry" label={`Download ${name} again`} lock={lock} disabled={task.isBusy} onClick={() => void retry()} />
            <IconButton icon="close" label={`Dismiss the download of ${name}`} onClick={onDismiss} />
          </>
        ) : (
          <IconButton
            icon="close"
            label={`Cancel the download of ${name}`}
            lock={lock}
            disabled={task.isBusy}
            onClick={() => void cancel()}
          />
        )}
      </td>
    </tr>
  );
}
