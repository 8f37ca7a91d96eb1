import { type ReactElement, useId, useState } from 'react';
import type { ListedUpload } from '../../../../src/core/protocol/uploads.ts';
import { callOf } from '../../../api/call.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
import { formatBytes } from '../../../parts/format.ts';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';

/** Asks once more before the received data of an upload is removed. */
export function CancelUploadDialog({
  upload: { id, model_id, bytes_done },
  onClose,
}: {
  readonly upload: ListedUpload;
  readonly onClose: () => void;
}): ReactElement {
  const { client, tell } = useApp();
  const { uploads: lock } = useLocks();
  const [ownId, setOwnId] = useState('');
  const field = useId();
  const task = useTask<ListedUpload>();
  const isOwn = lock !== undefined;
  const upload = isOwn ? ownId.trim() : id;
  const cancel = async (): Promise<void> => {
    const cancelled = await task.change(() => client.send<ListedUpload>(callOf('DELETE /store/uploads/:upload', { upload }, { of: id })));
    if (cancelled === undefined) return;
    tell(`The upload of ${cancelled.model_id} was cancelled, ${formatBytes(cancelled.bytes_done)} freed.`);
    onClose();
  };
  return (
    <Dialog title={`Cancel the upload of ${model_id}?`} onClose={onClose}>
      <p>
        {bytes_done === 0
          ? 'Nothing has arrived yet.'
          : `This removes the ${formatBytes(bytes_done)} that have arrived. The sending machine would start again from zero.`}
      </p>
      {isOwn && (
        <div className="field">
          <label htmlFor={field}>Id of the upload</label>
          <input
            id={field}
            type="text"
            autoComplete="off"
            spellCheck={false}
            value={ownId}
            onChange={(event) => setOwnId(event.target.value)}
          />
          <p className="muted field-help">
            <code>skulk add</code> printed it on the sending machine, in <code>skulk uploads --cancel ID</code>. {lock}
          </p>
        </div>
      )}
      {task.error !== undefined && <Problem error={task.error} />}
      <div className="dialog-actions">
        <Button disabled={task.isBusy} takesFocus onClick={onClose}>
          Keep it
        </Button>
        <Button tone="danger" icon="trash" disabled={task.isBusy || upload === ''} onClick={() => void cancel()}>
          {task.isBusy ? 'Cancelling…' : 'Cancel the upload'}
        </Button>
      </div>
    </Dialog>
  );
}
