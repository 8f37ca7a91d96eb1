import type { ReactElement } from 'react';
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
  const task = useTask<ListedUpload>();
  const cancel = async (): Promise<void> => {
    const cancelled = await task.change(() => client.send<ListedUpload>(callOf('DELETE /store/uploads/:upload', { upload: id })));
    if (cancelled === undefined) return;
    tell(`The upload of ${model_id} was cancelled, ${formatBytes(cancelled.bytes_done)} freed.`);
    onClose();
  };
  return (
    <Dialog title={`Cancel the upload of ${model_id}?`} onClose={onClose}>
      <p>This removes the {formatBytes(bytes_done)} that have arrived. The sending machine would start again from zero.</p>
      {lock !== undefined && <p className="muted">{lock}</p>}
      {task.error !== undefined && <Problem error={task.error} />}
      <div className="dialog-actions">
        <Button disabled={task.isBusy} takesFocus onClick={onClose}>
          Keep it
        </Button>
        <Button tone="danger" icon="trash" disabled={task.isBusy} lock={lock} onClick={() => void cancel()}>
          {task.isBusy ? 'Cancelling…' : 'Cancel the upload'}
        </Button>
      </div>
    </Dialog>
  );
}
