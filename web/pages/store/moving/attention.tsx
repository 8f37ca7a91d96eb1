import { type ReactElement, useState } from 'react';
import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import type { ApiError } from '../../../api/api-error.ts';
import { Button, IconButton } from '../../../parts/button.tsx';
import { plural } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import { ModelName } from '../../../parts/model-name.tsx';
import { Sentence } from '../../../parts/sentence.tsx';
import { keyOfDownload, nameOfDownload } from '../quantizations.ts';
import { useClear } from './use-clear.ts';
import { useRetry } from './use-retry.ts';

/** One line for all downloads that went wrong; each with its reason when it is opened. Nothing where none did. */
export function Attention({
  troubles,
  lock,
  onDismiss,
}: {
  readonly troubles: readonly DownloadStatus[];
  readonly lock: string | undefined;
  readonly onDismiss: (some: readonly DownloadStatus[]) => void;
}): ReactElement | null {
  const [isOpen, setOpen] = useState(false);
  const { clear, isBusy, error } = useClear(troubles);
  const [first, ...others] = troubles;
  if (first === undefined) return null;
  return (
    <section className={`card flush attention ${troubles.some(isFailed) ? '' : 'mild'}`} aria-label="Needs attention">
      {others.length > 0 && (
        <div className="attention-line">
          <Icon name="warning" />
          <p>
            <strong>{describe(troubles)}.</strong>
            <Failure error={error} />
          </p>
          <Button onClick={() => setOpen(!isOpen)} isExpanded={isOpen}>
            {isOpen ? 'Hide' : 'Show'}
          </Button>
          {clear !== undefined && (
            <Button label="Clear all from the list of the store" lock={lock} disabled={isBusy} onClick={clear}>
              Clear all
            </Button>
          )}
          <IconButton icon="close" label="Dismiss all in this browser" onClick={() => onDismiss(troubles)} />
        </div>
      )}
      {(isOpen || others.length === 0) && (
        <ul>
          {troubles.map((one) => (
            <Trouble key={`${keyOfDownload(one)} ${one.status}`} download={one} lock={lock} onDismiss={() => onDismiss([one])} />
          ))}
        </ul>
      )}
    </section>
  );
}

const isFailed = ({ status }: DownloadStatus): boolean => status === 'failed';

/** `2 downloads failed, 1 download has warnings`. Pure. */
function describe(troubles: readonly DownloadStatus[]): string {
  const failed = troubles.filter(isFailed).length;
  const warned = troubles.length - failed;
  return [
    ...(failed > 0 ? [`${plural(failed, 'download')} failed`] : []),
    ...(warned > 0 ? [`${plural(warned, 'download')} ${warned === 1 ? 'has' : 'have'} warnings`] : []),
  ].join(', ');
}

function Trouble({
  download,
  lock,
  onDismiss,
}: {
  readonly download: DownloadStatus;
  readonly lock: string | undefined;
  readonly onDismiss: () => void;
}): ReactElement {
  const task = useRetry(download);
  const clearing = useClear([download]);
  const { modelId, selector, gguf_file, status, error, hint, warnings } = download;
  const part = selector ?? gguf_file;
  const name = nameOfDownload(download);
  return (
    <li className={`attention-line ${isFailed(download) ? '' : 'mild'}`}>
      <Icon name="warning" />
      <div>
        <p>
          <ModelName id={modelId} /> {part !== null && <span className="label">{part}</span>}
        </p>
        {status === 'complete' ? (
          warnings.map((text) => (
            <p key={text}>
              {/* The line above names the model. */}
              <Sentence text={text.startsWith(`${modelId}: `) ? text.slice(modelId.length + 2) : text} />
            </p>
          ))
        ) : (
          <p>
            <Sentence text={error ?? 'the download failed'} />{' '}
            {hint !== null && (
              <span className="muted">
                <Sentence text={hint} />
              </span>
            )}
          </p>
        )}
        <p>
          <Failure error={task.error ?? clearing.error} />
        </p>
      </div>
      {status === 'failed' && (
        <Button icon="retry" label={`Download ${name} again`} lock={lock} disabled={task.isBusy} onClick={task.retry}>
          Try again
        </Button>
      )}
      {clearing.clear !== undefined && (
        <Button label={`Clear the download of ${name} from the list`} lock={lock} disabled={clearing.isBusy} onClick={clearing.clear}>
          Clear
        </Button>
      )}
      <IconButton
        icon="close"
        label={status === 'failed' ? `Dismiss the download of ${name}` : `Dismiss the warnings about ${name}`}
        onClick={onDismiss}
      />
    </li>
  );
}

const Failure = ({ error }: { readonly error: ApiError | undefined }): ReactElement | null =>
  error === undefined ? null : (
    <span className="bad row-more" role="alert">
      <Sentence text={error.message} />
    </span>
  );
