import type { ReactElement } from 'react';
import type { ListedUpload } from '../../../../core/protocol/uploads.ts';
import { Dialog, useDialogWidth } from '../../parts/dialog.tsx';
import { formatBytes } from '../../parts/format.ts';
import { hintParts } from '../../parts/hints.ts';
import { wrap } from '../../parts/text-width.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';

/** Asks before the received data of an upload is removed. */
export function CancelUploadDialog({
  upload: { id, model_id, bytes_done },
  onDone,
}: {
  readonly upload: ListedUpload;
  readonly onDone: () => void;
}): ReactElement {
  const { acts, open, run } = useDashboard();
  const width = useDialogWidth();
  const text =
    bytes_done === 0
      ? 'Nothing has arrived yet.'
      : `This removes the ${formatBytes(bytes_done)} that have arrived. The sending machine would start again from zero.`;
  const cancel = async (): Promise<number> => {
    const freed = await acts.cancelUpload(id);
    onDone();
    return freed;
  };
  return (
    <Dialog
      title={`Cancel the upload of ${model_id}?`}
      tone="bad"
      lines={wrap(text, width).map((line): readonly Part[] => [line])}
      keys={hintParts(
        [
          ['y', 'cancel it'],
          ['esc', 'keep it'],
        ],
        width,
      )}
      onKey={(key) => {
        if (key === 'y')
          run(cancel, (freed) => ({ text: `the upload of ${model_id} was cancelled, ${formatBytes(freed)} freed`, tone: 'good' }));
        else if (key !== 'escape' && key !== 'n' && key !== 'q') return;
        open(undefined);
      }}
    />
  );
}
